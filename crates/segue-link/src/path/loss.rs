//! Which packets are lost. One variant per model; whatever a model remembers
//! between packets belongs into its state here.

use std::num::NonZeroU64;
use std::str::FromStr;

use super::random::{Chance, Random};
use super::spec::{self, SpecError};
use crate::units::Probability;

/// Which packets are lost. Default: none.
///
/// Written `1%`, `burst:1%,4`, `ge:0.1%,25%,100%,0%` or `every:100`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum LossModel {
    /// No packet.
    #[default]
    Never,
    /// Each packet with the same probability, whatever happened to the others.
    Independent(Probability),
    /// Losses in bursts, by a good and a bad state.
    GilbertElliott(GilbertElliott),
    /// Every nth packet: the nth, the 2nth and so on.
    Every(NonZeroU64),
}

/// The model of Gilbert (1960) and Elliott (1963), with the parameters of netem's `gemodel`.
///
/// Before each packet the state may have changed; a packet is lost with the probability of the state that it meets.
/// The first packet meets the good state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GilbertElliott {
    /// From good to bad, per packet (netem's p).
    pub to_bad: Probability,
    /// From bad to good, per packet (netem's r). Its reciprocal is the mean number of packets that a bad time lasts.
    pub to_good: Probability,
    /// Loss in the bad state (netem's 1-h).
    pub loss_bad: Probability,
    /// Loss in the good state (netem's 1-k).
    pub loss_good: Probability,
}

impl GilbertElliott {
    /// Bursts in which every packet is lost: so many per cent of all packets, so many in a burst on average.
    ///
    /// # Errors
    /// [`SpecError`] when `length` is below 1, when all packets would be lost, or when bursts that short cannot make up
    /// so large a share.
    pub fn bursts(share: Probability, length: f64) -> Result<GilbertElliott, SpecError> {
        if !(1.0..=1e9).contains(&length) {
            return Err(SpecError::new(format!(
                "a burst of {length} packets is out of range; the mean is 1 to 1000000000"
            )));
        }
        let lost = share.fraction();
        let to_bad = lost / (length * (1.0 - lost));
        // What is too much by rounding only is not too much.
        let to_bad = if to_bad < 1.0 + 1e-9 { to_bad.min(1.0) } else { to_bad };
        let to_bad = Probability::from_fraction(to_bad).filter(|_| lost < 1.0).ok_or_else(|| {
            let least = (lost / (1.0 - lost) - 1e-9).ceil();
            SpecError::new(if lost < 1.0 {
                format!("{share} cannot be lost in bursts of {length} on average; make them at least {least} long")
            } else {
                "bursts of 100% have no end; write 100% alone".to_owned()
            })
        })?;
        let to_good = Probability::from_fraction(1.0 / length).unwrap_or(Probability::ALWAYS);
        Ok(GilbertElliott { to_bad, to_good, loss_bad: Probability::ALWAYS, loss_good: Probability::NEVER })
    }

    /// Share of packets lost in the long run.
    pub fn share(&self) -> f64 {
        let (p, r) = (self.to_bad.fraction(), self.to_good.fraction());
        // Without any change it stays in the good state for ever.
        let bad = if p == 0.0 { 0.0 } else { p / (p + r) };
        bad * self.loss_bad.fraction() + (1.0 - bad) * self.loss_good.fraction()
    }
}

impl LossModel {
    /// Whether no packet is ever lost.
    pub fn is_never(&self) -> bool {
        match self {
            LossModel::Never => true,
            LossModel::Independent(probability) => probability.is_never(),
            LossModel::GilbertElliott(model) => model.share() == 0.0,
            LossModel::Every(_) => false,
        }
    }
}

impl From<Probability> for LossModel {
    fn from(probability: Probability) -> LossModel {
        LossModel::Independent(probability)
    }
}

const FORMS: &str = "write 1% (each packet alone), burst:1%,4 (1% in all, 4 in a row on average), \
                     ge:P,R[,BAD[,GOOD]] (netem's gemodel, e.g. ge:0.5%,25%) or every:100 (every hundredth)";

impl FromStr for LossModel {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<LossModel, SpecError> {
        let (kind, parts) = spec::split(text);
        let probability = |name: &str, text: &str| spec::value::<Probability>(name, text);
        match (kind, parts.as_slice()) {
            (_, []) => text.parse().map(LossModel::Independent).map_err(|error: crate::UnitError| match kind {
                "burst" | "ge" | "every" => SpecError::new(format!("'{text}' is not complete; {FORMS}")),
                _ => error.into(),
            }),
            ("every", [number]) => {
                let number = NonZeroU64::new(spec::count("every", number)?);
                Ok(number.map_or(LossModel::Never, LossModel::Every))
            }
            ("burst", [share, length]) => {
                let length = length
                    .parse()
                    .map_err(|_| SpecError::new(format!("burst: '{length}' is not a number of packets, e.g. 4")))?;
                let share = probability("burst", share)?;
                GilbertElliott::bursts(share, length).map(LossModel::GilbertElliott)
            }
            ("ge", [to_bad, rest @ ..]) if rest.len() < 4 => {
                let to_bad = probability("ge, good to bad", to_bad)?;
                // netem: r is 1 - p when it is not given.
                let alone = Probability::from_fraction(1.0 - to_bad.fraction()).unwrap_or_default();
                let part = |at: usize, name: &str, default| match rest.get(at) {
                    Some(text) => probability(name, text),
                    None => Ok(default),
                };
                Ok(LossModel::GilbertElliott(GilbertElliott {
                    to_bad,
                    to_good: part(0, "ge, bad to good", alone)?,
                    loss_bad: part(1, "ge, loss when bad", Probability::ALWAYS)?,
                    loss_good: part(2, "ge, loss when good", Probability::NEVER)?,
                }))
            }
            _ => Err(SpecError::new(format!("'{text}' is not a way to lose packets; {FORMS}"))),
        }
    }
}

/// A loss model at work.
pub(crate) enum Loss {
    Independent(Chance),
    GilbertElliott { change: [Chance; 2], loss: [Chance; 2], bad: bool },
    Every { number: u64, since: u64 },
}

impl Loss {
    pub(crate) fn new(model: LossModel) -> Loss {
        match model {
            LossModel::Never => Loss::Independent(Chance::new(Probability::NEVER)),
            LossModel::Independent(probability) => Loss::Independent(Chance::new(probability)),
            LossModel::GilbertElliott(GilbertElliott { to_bad, to_good, loss_bad, loss_good }) => {
                Loss::GilbertElliott {
                    change: [to_bad, to_good].map(Chance::new),
                    loss: [loss_good, loss_bad].map(Chance::new),
                    bad: false,
                }
            }
            LossModel::Every(number) => Loss::Every { number: number.get(), since: 0 },
        }
    }

    /// Decides about the next packet.
    pub(crate) fn takes(&mut self, random: &mut Random) -> bool {
        match self {
            Loss::Independent(chance) => chance.happens(random),
            Loss::GilbertElliott { change, loss, bad } => {
                let state = usize::from(*bad);
                let lost = loss[state].happens(random);
                *bad ^= change[state].happens(random);
                lost
            }
            Loss::Every { number, since } => {
                *since += 1;
                let lost = *since == *number;
                if lost {
                    *since = 0;
                }
                lost
            }
        }
    }
}
