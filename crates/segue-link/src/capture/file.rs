//! The file of a capture: pcapng blocks in memory until there are enough, then the disk.
//!
//! Decides the layout (one interface block per tapped end, raw IP, nanoseconds, direction flags) and that
//! the file always ends with a whole block: what was written in part is cut off again.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use segue_wire::checksum::Sum;
use segue_wire::{ChecksumState, Packet};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// Longest option of a block.
const OPTION_MAX: usize = 65_535;

/// 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// Where a packet went, as seen from its interface. The values are those of the format's flags word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    In = 1,
    Out = 2,
}

/// An open capture file.
pub(super) struct CaptureFile {
    file: File,
    blocks: PcapNgWriter<Vec<u8>>,
    /// Bytes in the file; it ends with a whole block there.
    written: u64,
    interfaces: u32,
    /// A packet in one piece, while it is being written.
    scratch: Vec<u8>,
}

impl CaptureFile {
    pub(super) fn create(path: &Path, comment: Option<String>) -> io::Result<CaptureFile> {
        let file = File::create(path)?;
        let program = concat!("segue ", env!("CARGO_PKG_VERSION"));
        let mut options = vec![SectionHeaderOption::UserApplication(program.into())];
        options.extend(comment.map(|text| SectionHeaderOption::Comment(Cow::Owned(fitting(text)))));
        let header = SectionHeaderBlock { endianness: Endianness::Little, options, ..SectionHeaderBlock::default() };
        let blocks = PcapNgWriter::with_section_header(Vec::new(), header).map_err(io_error)?;
        let mut file = CaptureFile { file, blocks, written: 0, interfaces: 0, scratch: Vec::new() };
        // A disk that is full already is better known now.
        file.flush()?;
        Ok(file)
    }

    /// Adds an interface and gives its number.
    pub(super) fn interface(&mut self, name: &str, mtu: usize) -> io::Result<u32> {
        let options = vec![
            InterfaceDescriptionOption::IfName(Cow::Owned(fitting(name.to_owned()))),
            InterfaceDescriptionOption::IfDescription(Cow::Owned(format!("MTU {mtu}"))),
            InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
        ];
        // A snap length of zero is no limit.
        let block = InterfaceDescriptionBlock { linktype: DataLink::RAW, snaplen: 0, options };
        self.blocks.write_pcapng_block(block).map_err(io_error)?;
        let number = self.interfaces;
        self.interfaces += 1;
        Ok(number)
    }

    /// Adds a packet. `timestamp` counts from 1970.
    pub(super) fn packet(
        &mut self,
        interface: u32,
        timestamp: Duration,
        direction: Direction,
        packet: &Packet,
        comment: Option<String>,
    ) -> io::Result<()> {
        self.scratch.clear();
        packet.slices().for_each(|slice| self.scratch.extend_from_slice(slice));
        finish_checksum(&mut self.scratch, packet.checksum);
        let mut options = vec![EnhancedPacketOption::Flags(direction as u32)];
        options.extend(comment.map(|text| EnhancedPacketOption::Comment(Cow::Owned(fitting(text)))));
        let block = EnhancedPacketBlock {
            interface_id: interface,
            timestamp,
            original_len: self.scratch.len() as u32,
            data: Cow::Borrowed(&self.scratch),
            options,
        };
        self.blocks.write_pcapng_block(block).map_err(io_error)?;
        if self.blocks.get_ref().len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes to another file from here on.
    #[cfg(test)]
    pub(super) fn redirect(&mut self, path: &str) {
        self.file = File::options().write(true).open(path).expect("it exists");
    }

    /// Whether everything is in the file.
    pub(super) fn is_clean(&self) -> bool {
        self.blocks.get_ref().is_empty()
    }

    /// Writes out what is in memory. After an error the file is as it was before.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let buffer = self.blocks.get_mut();
        let result = self.file.write_all(buffer);
        match &result {
            Ok(()) => self.written += buffer.len() as u64,
            // Half a block would make readers complain about the whole file. A pipe cannot be cut, nor need it be.
            Err(_) => drop(self.file.set_len(self.written)),
        }
        buffer.clear();
        result
    }
}

/// Finishes what the packet still owed, in the copy. For a super-segment that is the sum over the whole of it.
fn finish_checksum(bytes: &mut [u8], state: ChecksumState) {
    let ChecksumState::Partial { start, field } = state else { return };
    let start = usize::from(start);
    let at = start + usize::from(field);
    let Some(covered) = bytes.get(start..) else { return };
    let mut sum = Sum::new();
    sum.add_slice(covered);
    let value = match sum.checksum() {
        // RFC 768: zero would mean that there is none.
        0 => 0xffff,
        value => value,
    };
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

/// A text that fits into an option, cut between characters.
fn fitting(mut text: String) -> String {
    if text.len() > OPTION_MAX {
        let end = (0..=OPTION_MAX).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
