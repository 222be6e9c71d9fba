//! A network namespace of a test's own, with a TUN device between its kernel and a host.
use std::process::{Command, Stdio};
use std::time::Duration;

use segue::Host;
use segue::link::{Prefix, TunConfig, TunLink};

use super::{cidr, within};

const INSIDE: &str = "SEGUE_TEST_NAMESPACE";

/// The two ends of the device for each version of IP: the host's address and the kernel's.
pub const ENDS: [(&str, &str); 2] = [("10.9.0.2", "10.9.0.1"), ("fd09::2", "fd09::1")];

/// Has the test binary run this one test again in a new network namespace, and there what `inside` is; what is missing for that
/// is printed, and the test skipped. `needs` are commands that must succeed, each with what to say if it does not.
pub fn in_a_namespace(test: &str, needs: &[(&[&str], &str)], inside: impl Future<Output = ()>, threads: usize) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        return runtime.block_on(within(inside));
    }
    let own: (&[&str], &str) = (&["unshare", "--net", "true"], "network namespaces need root and unshare");
    for (command, reason) in needs.iter().chain([&own]) {
        let mut run = Command::new(command[0]);
        let status = run.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return println!("skipped: {reason}");
        }
    }
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        return println!("skipped: /dev/net/tun cannot be opened: {error}");
    }
    let mut again = Command::new("unshare");
    again.arg("--net").arg(std::env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]).env(INSIDE, "1");
    let status = again.status().unwrap();
    assert!(status.success(), "inside the namespace: {status}");
}

/// The kernel has the second of each of `ENDS`, the host the first. Ready when the kernel answers: over IPv6 on a new
/// device that takes it a moment.
pub async fn host_on_tun(offload: bool) -> Host {
    let prefix = |address: &str, length| Prefix { address: address.parse().unwrap(), length };
    let config = TunConfig {
        name: "segue0".into(),
        addresses: vec![prefix("10.9.0.1", 24), prefix("fd09::1", 64)],
        offload,
        ..TunConfig::default()
    };
    let link = TunLink::create(&config).unwrap();
    let host = Host::builder().address(cidr("10.9.0.2/24")).address(cidr("fd09::2/64")).link(link).spawn().unwrap();
    for (_, kernel) in ENDS {
        let options = segue::PingOptions { timeout: Duration::from_millis(100), ..Default::default() };
        while host.ping(kernel.parse().unwrap(), options).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    host
}
