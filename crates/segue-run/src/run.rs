//! One run from its start to its end: in which order the pieces come up, and
//! in which they go.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::RunConfig;
use crate::error::RunError;
use crate::launch::{self, Prepared};
use crate::network::{Running, Tail};
use crate::supervisor::Supervisor;
use crate::sys::seccomp::Listener;
use crate::wait::{self, Signals, Waiting};
use crate::{Finished, Summary, calls, engine, publish, sys};

/// A panic elsewhere must not stop the answers the program waits for.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Restores what the run has changed about this process.
struct Adopting;

impl Drop for Adopting {
    fn drop(&mut self) {
        wait::adopt_orphans(false);
    }
}

pub(crate) fn run(config: &RunConfig) -> Result<Finished, RunError> {
    let name = config.program.first().ok_or(RunError::NoProgram)?.to_string_lossy().into_owned();
    let ports = publish::open(&config.publish)?;
    let limit = sys::raise_descriptor_limit()
        .map_err(|error| RunError::Supervisor("cannot raise the descriptor limit", error))?;
    // Blocked before the first thread is made: all of them inherit it.
    let signals = Signals::block().map_err(|error| RunError::Supervisor("cannot take charge of signals", error))?;
    wait::adopt_orphans(true);
    let _adopting = Adopting;
    let mut prepared =
        launch::prepare(&config.program, (config.closing, config.proc_net), limit, signals.mask_before())?;
    let waiting = Waiting { name: &name, signals: &signals, descendants: config.descendants };
    let Some(listener) = prepared.listener.take() else {
        eprintln!(
            "segue: already inside a segue run (or another seccomp supervisor): \
             {name} runs on the network that is there, and the options of this one have no effect"
        );
        let pid = prepared.start()?;
        return Ok(Finished { exit: waiting.wait(pid, None), summary: None });
    };
    match Session::up(config, listener, ports) {
        Ok(session) => session.play(prepared, config.linger, waiting),
        Err(error) => {
            prepared.abandon();
            Err(error)
        }
    }
}

/// Everything that lives while the program runs.
struct Session {
    runtime: tokio::runtime::Runtime,
    network: Running,
    sup: Arc<Supervisor>,
}

impl Session {
    fn up(config: &RunConfig, listener: Listener, ports: Vec<publish::Opened>) -> Result<Session, RunError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("segue")
            .enable_all()
            .build()
            .map_err(|error| RunError::Supervisor("cannot start threads", error))?;
        let entered = runtime.enter();
        let network = Running::up(&config.network)?;
        let mut number = [0; 8];
        getrandom::fill(&mut number)
            .map_err(|error| RunError::Supervisor("no random numbers", std::io::Error::other(error.to_string())))?;
        let sup = Supervisor::new(listener, network.host.clone(), config.proc_net, u64::from_ne_bytes(number))
            .map_err(|error| RunError::Supervisor("cannot set up the supervisor", error))?;
        let sup = Arc::new(sup);
        let engine = engine::run(sup.clone());
        runtime.spawn(async move {
            if let Err(error) = engine.await {
                eprintln!("segue: the relay has failed: {error}");
            }
        });
        if let Some((gateway, _)) = &network.gateway {
            for port in ports {
                let program = network.program(port.guest());
                runtime.spawn(publish::serve(port, gateway.clone(), program));
            }
        }
        drop(entered);
        Ok(Session { runtime, network, sup })
    }

    fn play(self, prepared: Prepared, linger: Duration, waiting: Waiting<'_>) -> Result<Finished, RunError> {
        let sup = self.sup.clone();
        let notify = std::thread::Builder::new().name("segue-notify".to_owned()).spawn(move || calls::serve(&sup));
        let notify = match notify {
            Ok(notify) => notify,
            Err(error) => {
                prepared.abandon();
                return Err(RunError::Supervisor("cannot start a thread", error));
            }
        };
        let exit = prepared.start().map(|pid| waiting.wait(pid, Some(self.sup.listener.as_fd())));
        // No task is left, so its receive has ended or is about to.
        let _ = notify.join();
        let exit = exit?;
        self.runtime.block_on(self.deliver(Instant::now() + linger));
        let summary = self.summary();
        drop((self.sup, self.network));
        self.runtime.shutdown_background();
        Ok(Finished { exit, summary: Some(summary) })
    }

    /// F8: a program that ends, however it ends, closes its connections with
    /// FIN, behind everything it wrote.
    async fn deliver(&self, until: Instant) {
        while Instant::now() < until {
            self.sup.learn_closed(true);
            if self.sup.all().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let has_messages = self.sup.stats.messages_out.load(Ordering::Relaxed) > 0;
        self.network.down(until, if has_messages { Tail::Datagrams } else { Tail::Streams }).await;
    }

    fn summary(&self) -> Summary {
        let stats = &self.sup.stats;
        let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            connections: get(&stats.connections),
            bytes_out: get(&stats.bytes_out),
            bytes_in: get(&stats.bytes_in),
            datagrams_out: get(&stats.datagrams_out),
            datagrams_in: get(&stats.datagrams_in),
            retransmits: self.network.retransmits(),
            path: self.network.path_stats(),
            losses: self.network.losses(),
            refused: self.network.refused(),
            calls: get(&stats.calls),
        }
    }
}
