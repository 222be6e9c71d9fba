use std::io::ErrorKind;
use std::process::Command;
use std::sync::mpsc;

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};

use super::*;
use crate::memory::memory_pair;
use crate::testing::{V4, V6, checksum_is_valid, tcp_packet as packet};

fn at(zero: u64) -> CaptureOptions {
    CaptureOptions { epoch: CaptureEpoch::At(Duration::from_secs(zero)), ..CaptureOptions::default() }
}

/// What a file says: interface names, and per packet interface, time, flags, comment and bytes.
type Record = (u32, Duration, Option<u32>, Option<String>, Vec<u8>);

fn read(path: &Path) -> (Vec<String>, Vec<Record>) {
    let bytes = std::fs::read(path).expect("the file is there");
    let mut reader = PcapNgReader::new(&bytes[..]).expect("a section header");
    let (mut names, mut packets) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a whole block") {
            Block::InterfaceDescription(interface) => {
                assert_eq!(u32::from(interface.linktype), 101, "LINKTYPE_RAW");
                assert!(interface.options.contains(&InterfaceDescriptionOption::IfTsResol(9)));
                names.extend(interface.options.iter().find_map(|option| match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                }));
            }
            Block::EnhancedPacket(packet) => {
                let flags = packet.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Flags(flags) => Some(*flags),
                    _ => None,
                });
                let comment = packet.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Comment(text) => Some(text.to_string()),
                    _ => None,
                });
                packets.push((packet.interface_id, packet.timestamp, flags, comment, packet.data.to_vec()));
            }
            _ => {}
        }
    }
    (names, packets)
}

#[test]
fn both_ends_of_a_pair_share_a_file_with_times_directions_and_finished_checksums() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("pair.pcapng");
    let capture = Capture::create(&path, at(1_700_000_000)).expect("a file");
    let (a, b) = memory_pair(1500, 10);
    let (mut a, mut b) = (capture.tee("a", a), capture.tee("b", b));
    let sent = [packet(V4, 100), packet(V6, 101), packet(V4, 20_000), packet(V6, 40_000)];
    a.tap().comment("the first one");
    for packet in &sent {
        a.send(Instant::from_nanos(5_000_000_007), packet.clone()).expect("room");
    }
    let mut out = Vec::new();
    assert_eq!(b.recv(Instant::from_nanos(6_000_000_000), &mut out, 10).expect("alive"), 4);
    assert!(out == sent, "the tee changed the traffic");
    drop((a, b, capture));

    let (names, packets) = read(&path);
    assert_eq!(names, ["a", "b"]);
    assert_eq!(packets.len(), 8);
    for (index, (interface, time, flags, comment, bytes)) in packets.iter().enumerate() {
        let original = &sent[index % 4];
        let expected = if index < 4 {
            (0, Duration::new(1_700_000_005, 7), Some(2))
        } else {
            (1, Duration::new(1_700_000_006, 0), Some(1))
        };
        assert_eq!((*interface, *time, *flags), expected);
        assert_eq!(comment.as_deref(), (index == 0).then_some("the first one"));
        assert_eq!(bytes.len(), original.len(), "super-segments are written whole");
        assert!(checksum_is_valid(bytes), "packet {index}");
    }
}

#[test]
fn a_packet_that_the_link_hands_back_is_not_in_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("full.pcapng");
    let capture = Capture::create(&path, at(0)).expect("a file");
    let (a, _b) = memory_pair(1500, 1);
    let mut a = capture.tee("a", a);
    a.send(Instant::ZERO, packet(V4, 1)).expect("room for one");
    assert!(matches!(a.send(Instant::ZERO, packet(V4, 2)), Err(SendError::Full(_))));
    capture.flush().expect("written");
    assert_eq!(read(&path).1.len(), 1);
}

#[test]
fn packets_reach_the_file_within_a_second_because_the_tee_has_a_deadline() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("live.pcapng");
    let capture = Capture::create(&path, CaptureOptions::default()).expect("a file");
    let (a, _b) = memory_pair(1500, 10);
    let mut a = capture.tee("a", a);
    let start = Instant::from_secs(10);
    a.send(start, packet(V4, 1)).expect("room");
    assert_eq!(read(&path).1.len(), 0, "still in memory");
    let deadline = a.next_deadline().expect("it must be written");
    assert!(deadline <= start + Duration::from_secs(1));
    a.recv(deadline, &mut Vec::new(), 1).expect("alive");
    assert_eq!(read(&path).1.len(), 1);
    assert_eq!(a.next_deadline(), None);
}

#[test]
fn virtual_time_gives_the_same_file_and_no_deadlines() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = ["1", "2"].map(|name| {
        let path = dir.path().join(name);
        let capture = Capture::create(&path, at(7)).expect("a file");
        let mut tap = capture.tap("a", 1500);
        tap.sent(Instant::from_millis(3), &packet(V4, 10));
        let (link, _other) = memory_pair(1500, 1);
        let mut tee = capture.tee("b", link);
        tee.send(Instant::from_millis(4), packet(V4, 10)).expect("room");
        assert_eq!(tee.next_deadline(), None);
        drop((tap, tee, capture));
        std::fs::read(path).expect("the file is there")
    });
    assert!(files[0] == files[1] && !files[0].is_empty());
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().expect("a directory");
    for path in [dir.path().to_owned(), dir.path().join("missing/run.pcapng")] {
        let error = Capture::create(&path, CaptureOptions::default()).err().expect("no such file can be made");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn a_full_disk_ends_the_capture_with_one_message_and_not_the_traffic() {
    let (tell, told) = mpsc::channel();
    let options =
        CaptureOptions { on_error: Some(Box::new(move |error| tell.send(error).expect("somebody listens"))), ..at(0) };
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("full.pcapng");
    let capture = Capture::create(&path, options).expect("a file");
    let (a, mut b) = memory_pair(1500, 1000);
    let mut a = capture.tee("a", a);
    // A device that is always full, in place of a disk.
    capture.shared.lock().file.as_mut().expect("open").redirect("/dev/full");
    for _ in 0..20 {
        a.send(Instant::ZERO, packet(V4, 10_000)).expect("the traffic goes on");
    }
    let error = told.try_recv().expect("one message");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(error.to_string().contains("full.pcapng") && error.to_string().contains("traffic goes on"), "{error}");
    assert!(told.try_recv().is_err(), "only one");
    assert!(!capture.is_running());
    assert_eq!(b.recv(Instant::ZERO, &mut Vec::new(), 100).expect("alive"), 20);
}

#[test]
fn the_file_ends_with_a_whole_block_when_the_disk_fills_up_in_the_middle() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("limited.pcapng");
    // A file size limit needs a process of its own: this very test, run again as a child.
    if let Some(path) = std::env::var_os("SEGUE_LIMITED_CAPTURE") {
        let capture = Capture::create(path, at(0)).expect("a file");
        let mut tap = capture.tap("a", 1500);
        for _ in 0..100 {
            tap.sent(Instant::ZERO, &packet(V4, 9_999));
        }
        assert!(!capture.is_running(), "the limit was not met");
        return;
    }
    let this = std::env::current_exe().expect("a test is a program");
    let name = "capture::tests::the_file_ends_with_a_whole_block_when_the_disk_fills_up_in_the_middle";
    // ulimit -f counts 512-byte blocks in sh; SIGXFSZ is ignored so that writes fail.
    let status = Command::new("sh")
        .args(["-c", "ulimit -f 300; trap '' XFSZ; exec \"$0\" --exact \"$1\" --test-threads 1"])
        .arg(this)
        .arg(name)
        .env("SEGUE_LIMITED_CAPTURE", &path)
        .output()
        .expect("sh");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let (_, packets) = read(&path);
    assert!(!packets.is_empty() && packets.len() < 100, "{} packets", packets.len());
}

#[test]
fn tshark_reads_the_file_and_finds_every_checksum_good() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("tshark.pcapng");
    let options = CaptureOptions { comment: Some("seed 7".to_owned()), ..at(1_700_000_000) };
    let capture = Capture::create(&path, options).expect("a file");
    let mut tap = capture.tap("left", 1500);
    tap.comment("look here");
    tap.sent(Instant::from_nanos(123_456_789), &packet(V4, 100));
    tap.received(Instant::from_nanos(123_456_790), &packet(V6, 30_000));
    drop((tap, capture));
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.packet_flags_direction",
        "frame.len",
        "tcp.len",
        "tcp.checksum.status",
        "ip.checksum.status",
        "frame.comment",
    ];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=;"]);
    command.args(["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(';').collect()).collect();
    assert_eq!(lines.len(), 2, "{text} {errors}");
    assert!(lines[0][0].ends_with("00.123456789") && lines[1][0].ends_with("00.123456790"), "{text}");
    assert_eq!((lines[0][1], lines[0][4], lines[0][5], lines[0][6]), ("left", "100", "1", "1"), "{text}");
    assert_eq!(lines[0][7], "look here", "{text}");
    assert_eq!((lines[1][3], lines[1][4], lines[1][5]), ("30060", "30000", "1"), "{text}");
    assert!(lines[0][2] != lines[1][2] && !lines[0][2].is_empty(), "{text}");
}
