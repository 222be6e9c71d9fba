//! Stories about loss: much is written, and what is sent arrives, or does not, or late, or twice.
use super::random::Random;
use super::story::{Offer, Opening, Step, Story};

/// The story of a seed.
pub fn generate_loss(seed: u64) -> Story {
    let mut random = Random::new(seed ^ 0x6c6f_7373);
    let offer = Offer {
        mss: Some(1000),
        sack: !random.one_in(4),
        timestamps: !random.one_in(3),
        scale: Some(7),
        window: 65_535,
    };
    let congestion = random.weighted(&[(4, "reno"), (1, "cubic")]);
    let mut steps = vec![Step::Write(random.pick(&[1000, 2000, 4000, 8000, 10_000, 20_000]), 0), Step::Wait(20)];
    let count = 5 + random.below(22);
    let calm = random.one_in(3);
    while steps.len() < count {
        let few = random.weighted(&[(6, 1), (4, 2), (2, 3), (2, 5), (2, 12)]);
        match random.below(100) {
            0..36 => steps.push(Step::Deliver(few)),
            36..52 if !calm => steps.push(Step::Lose(few.min(5))),
            52..58 => steps.push(Step::DeliverNewest),
            58..62 => steps.push(Step::Unheard(few)),
            62..66 => steps.push(Step::DeliverAgain),
            66..76 => steps.push(Step::Write(random.pick(&[100, 1000, 3000, 5000]), 0)),
            76..90 => steps.push(Step::Wait(random.pick(&[30, 60]))),
            90..97 => steps.push(Step::Wait(random.pick(&[110, 300, 500]))),
            97..98 => steps.push(Step::Shutdown(1)),
            _ => {}
        }
    }
    Story { opening: Opening::Passive, offer, congestion, steps }
}
