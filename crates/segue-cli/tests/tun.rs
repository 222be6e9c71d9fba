//! A real device between Segue and the kernel, in namespaces of the test's own.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{
    Namespace, Running, assert_success, eventually, finish, noise_file, open_folder, sha256, sha256_file, text,
};

const SOON: Duration = Duration::from_secs(60);

fn inside(namespace: &Namespace, arguments: &[&str]) -> Command {
    let mut command = namespace.command(common::binary());
    command.args(arguments);
    command
}

#[test]
fn the_kernels_curl_talks_to_segue_serve() {
    need!("curl", "ip", "ping");
    for (round, extra) in ["", "--no-offload"].into_iter().enumerate() {
        let Some(namespace) = Namespace::new(&format!("segue-serve{round}")) else {
            return;
        };
        let mut arguments = vec!["serve", "--tun", "sg0", "--addr", "10.77.0.2/24", "--addr", "fd77::2/64"];
        arguments.extend((!extra.is_empty()).then_some(extra));
        let server = Running::start(inside(&namespace, &arguments).stdout(Stdio::null()));
        let fetch = |url: &str| {
            finish(
                namespace.command("curl").args([
                    "-sS",
                    "-g",
                    "--retry",
                    "30",
                    "--retry-all-errors",
                    "--retry-delay",
                    "1",
                    "--connect-timeout",
                    "2",
                    url,
                ]),
                SOON,
            )
        };
        let etag = |url: &str| {
            let head = finish(namespace.command("curl").args(["-sSIg", url]), SOON);
            assert_success(&head);
            text(&head.stdout)
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| Some(line.strip_prefix("etag:")?.trim().trim_matches('"').to_owned()))
                .expect("an ETag")
        };
        for host in ["10.77.0.2", "[fd77::2]"] {
            let url = format!("http://{host}/16MiB");
            let output = fetch(&url);
            assert_success(&output);
            assert_eq!(output.stdout.len(), 16 << 20);
            assert_eq!(sha256(&output.stdout), etag(&url), "{url} {extra}");
        }
        let folder = open_folder();
        let file = noise_file(folder.path(), "up.bin", 16_000_003);
        for host in ["10.77.0.2", "[fd77::2]"] {
            let output = finish(
                namespace.command("curl").args(["-sS", "-g", "-T"]).arg(&file).arg(format!("http://{host}/")),
                SOON,
            );
            assert_success(&output);
            assert!(text(&output.stdout).contains(&sha256_file(&file)));
        }
        for host in ["10.77.0.2", "fd77::2"] {
            assert_success(&finish(namespace.command("ping").args(["-c", "2", "-W", "2", host]), SOON));
        }
        // The end: an interrupt removes the device.
        assert!(namespace.devices().contains("sg0"));
        let _ = server.interrupt(SOON);
        eventually("the device is gone", SOON, || !namespace.devices().contains("sg0"));
    }
}

#[test]
fn a_program_on_segue_talks_to_a_kernel_nginx() {
    need!("curl", "ip", "nginx");
    let Some(namespace) = Namespace::new("segue-nginx") else {
        return;
    };
    let folder = open_folder();
    let file = noise_file(folder.path(), "page.bin", 16_000_001);
    let config = folder.path().join("nginx.conf");
    std::fs::write(
        &config,
        format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; \
             fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n\
             server {{ listen 80; listen [::]:80; root {0}; }} }}\n",
            folder.path().display()
        ),
    )
    .expect("the configuration is written");
    let _nginx = Running::start(namespace.command("nginx").arg("-c").arg(&config).stderr(Stdio::null()));
    for offload in [true, false] {
        for (address, url) in
            [("10.78.0.2/24", "http://10.78.0.1/page.bin"), ("fd78::2/64", "http://[fd78::1]/page.bin")]
        {
            let mut arguments = vec!["run", "--tun", "sg1", "--addr", address];
            if !offload {
                arguments.push("--no-offload");
            }
            arguments.extend([
                "--",
                "curl",
                "-sS",
                "-g",
                "--retry",
                "20",
                "--retry-all-errors",
                "--retry-delay",
                "1",
                url,
            ]);
            let output = finish(&mut inside(&namespace, &arguments), SOON);
            assert_success(&output);
            assert_eq!(sha256(&output.stdout), sha256_file(&file), "{url} offload {offload}");
            eventually("the device is gone", SOON, || !namespace.devices().contains("sg1"));
        }
    }
}

#[test]
fn segue_ping_reaches_the_kernels_end_of_a_device() {
    need!("ip");
    let Some(namespace) = Namespace::new("segue-ping") else {
        return;
    };
    let output = finish(
        &mut inside(&namespace, &["ping", "-c", "2", "--tun", "sg2", "--addr", "10.79.0.2/24", "10.79.0.1"]),
        SOON,
    );
    assert_success(&output);
    assert!(text(&output.stdout).contains("2 received"), "{}", text(&output.stdout));
}

#[test]
fn a_path_in_front_of_a_device_delays_both_ways() {
    need!("ip", "ping");
    let Some(namespace) = Namespace::new("segue-far") else {
        return;
    };
    let ping =
        ["ping", "-c", "3", "-i", "50ms", "--tun", "sg4", "--addr", "10.81.0.2/24", "--delay", "20ms", "10.81.0.1"];
    let output = finish(&mut inside(&namespace, &ping), SOON);
    assert_success(&output);
    let least =
        text(&output.stdout).split("rtt min/avg/max = ").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
    assert!(least.is_some_and(|ms: f64| (40.0..80.0).contains(&ms)), "{}", text(&output.stdout));
    let serve =
        ["serve", "--tun", "sg5", "--addr", "10.82.0.2/24", "--delay", "15ms", "--drop", "none/2", "--seed", "5"];
    let server = Running::start(inside(&namespace, &serve).stdout(Stdio::null()).stderr(Stdio::piped()));
    eventually("the device is there", SOON, || namespace.devices().contains("sg5"));
    let output = finish(namespace.command("ping").args(["-c", "3", "-i", "0.2", "-W", "1", "10.82.0.2"]), SOON);
    let said = text(&output.stdout);
    assert!(said.contains("2 received") && said.contains("icmp_seq=3"), "{said}");
    let ended = text(&server.interrupt(SOON).stderr);
    assert!(ended.contains("path up: 2 packets; down: 3 packets, 1 lost; seed 5"), "{ended}");
}

#[test]
fn a_device_killed_with_its_process_leaves_nothing() {
    need!("ip");
    let Some(namespace) = Namespace::new("segue-kill") else {
        return;
    };
    let server =
        Running::start(inside(&namespace, &["serve", "--tun", "sg3", "--addr", "10.80.0.2/24"]).stdout(Stdio::null()));
    eventually("the device is there", SOON, || namespace.devices().contains("sg3"));
    // `ip netns exec` replaces itself, so the pid is segue's own.
    let pid = rustix::process::Pid::from_raw(server.pid()).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
    eventually("the device is gone", SOON, || !namespace.devices().contains("sg3"));
}
