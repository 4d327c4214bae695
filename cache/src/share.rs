//! Work on many things, shared among threads where they are many.

/// From so many on a thread more is worth its beginning.
const MANY: usize = 512;

/// Does this work on all of them, a part each on as many threads as there are cores, and gives what
/// came of each part, in order.
pub(crate) fn shared<T: Send, R: Send>(mut all: Vec<T>, work: impl Fn(Vec<T>) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (all.len() / MANY).clamp(1, cores);
    if threads == 1 {
        return vec![work(all)];
    }
    let share = all.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let work = &work;
        let mut others = Vec::new();
        while all.len() > share {
            let part = all.split_off(all.len() - share);
            others.push(scope.spawn(move || work(part)));
        }
        let mut parts = vec![work(all)];
        for other in others.into_iter().rev() {
            match other.join() {
                Ok(part) => parts.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_worked_on_once_and_in_order() {
        for count in [0, 1, MANY - 1, MANY, 2 * MANY, 2 * MANY + 1, 7 * MANY + 3] {
            let parts = shared((0..count).collect(), |part| part);
            assert_eq!(parts.concat(), (0..count).collect::<Vec<_>>());
        }
    }
}
