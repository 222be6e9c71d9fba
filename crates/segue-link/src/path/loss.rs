//! Which packets are lost. One variant per model; whatever a model remembers
//! between packets belongs into its state here.

use super::random::{Chance, Random};
use crate::units::{Probability, UnitError};
use std::str::FromStr;

/// Which packets are lost. Default: none.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum LossModel {
    /// No packet.
    #[default]
    Never,
    /// Each packet with the same probability, whatever happened to the others.
    Independent(Probability),
}

impl LossModel {
    /// Whether no packet is ever lost.
    pub fn is_never(&self) -> bool {
        match self {
            LossModel::Never => true,
            LossModel::Independent(probability) => probability.is_never(),
        }
    }
}

impl From<Probability> for LossModel {
    fn from(probability: Probability) -> LossModel {
        LossModel::Independent(probability)
    }
}

impl FromStr for LossModel {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<LossModel, UnitError> {
        text.parse().map(LossModel::Independent)
    }
}

/// A loss model at work.
pub(crate) enum Loss {
    Independent(Chance),
}

impl Loss {
    pub(crate) fn new(model: LossModel) -> Loss {
        match model {
            LossModel::Never => Loss::Independent(Chance::new(Probability::NEVER)),
            LossModel::Independent(probability) => Loss::Independent(Chance::new(probability)),
        }
    }

    /// Decides about the next packet.
    pub(crate) fn takes(&mut self, random: &mut Random) -> bool {
        match self {
            Loss::Independent(chance) => chance.happens(random),
        }
    }
}
