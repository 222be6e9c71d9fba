//! How many challenge ACKs all connections together send in a second (`tcp_challenge_ack_limit`).
//!
//! Decides yes or no. A fixed number would tell a stranger, who counts what is left for him, what others
//! have used (CVE-2016-5696); so, as on Linux, each second has a random number around the limit.
use segue_tcp::Instant;

use crate::secrets::Secrets;

/// The limit that means none.
const UNLIMITED: u32 = i32::MAX as u32;

/// What is left of the current second.
#[derive(Debug, Default)]
pub(crate) struct ChallengeBudget {
    second: Option<u64>,
    left: u64,
}

impl ChallengeBudget {
    /// Whether one more may leave now.
    pub(crate) fn take(&mut self, now: Instant, limit: u32, secrets: &mut Secrets) -> bool {
        if limit >= UNLIMITED {
            return true;
        }
        let second = now.as_millis() / 1000;
        if self.second != Some(second) {
            let half = u64::from(limit).div_ceil(2);
            let spread = u64::from(limit).max(1);
            (self.second, self.left) = (Some(second), half + secrets.random_u64() % spread);
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(budget: &mut ChallengeBudget, secrets: &mut Secrets, second: u64, limit: u32) -> usize {
        (0..1000).filter(|n| budget.take(Instant::from_millis(second * 1000 + n % 1000), limit, secrets)).count()
    }

    #[test]
    fn each_second_has_about_the_limit_and_never_twice_the_same_for_long() {
        let (mut budget, mut secrets) = (ChallengeBudget::default(), Secrets::from_seed(&[3; 32]));
        let counts: Vec<usize> = (0..50).map(|second| granted(&mut budget, &mut secrets, second, 100)).collect();
        assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
        assert!(counts.iter().any(|count| *count != counts[0]));
    }

    #[test]
    fn zero_refuses_all_and_the_largest_number_none() {
        let (mut budget, mut secrets) = (ChallengeBudget::default(), Secrets::from_seed(&[3; 32]));
        assert_eq!(granted(&mut budget, &mut secrets, 1, 0), 0);
        assert_eq!(granted(&mut budget, &mut secrets, 2, UNLIMITED), 1000);
    }
}
