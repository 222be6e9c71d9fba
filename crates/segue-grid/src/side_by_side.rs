//! Work done by a few threads at a time, each piece by one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Does `work` for each of `tasks`, `jobs` at a time; what comes of them is in the order of the tasks.
pub(crate) fn each<T: Send, R: Send>(tasks: Vec<T>, jobs: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let tasks: Mutex<VecDeque<(usize, T)>> = Mutex::new(tasks.into_iter().enumerate().collect());
    let done = Mutex::new(BTreeMap::new());
    let take = || tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((place, task)) = take() {
                    let result = work(task);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(place, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_the_order_of_the_tasks_however_many_work() {
        for jobs in [0, 1, 3, 50] {
            let squares = super::each((0..40u64).collect(), jobs, |n| n * n);
            assert_eq!(squares, (0..40u64).map(|n| n * n).collect::<Vec<_>>());
        }
    }
}
