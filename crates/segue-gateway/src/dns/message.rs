//! What a DNS query asks, and the bytes of an answer to it.
//!
//! Decides what is a query at all (RFC 1035 4.1, RFC 6891), and the size at
//! which an answer is cut (TC). Which records answer is not decided here.

use simple_dns::rdata::{OPT, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE};

/// Octets of a header, RFC 1035 4.1.1.
const HEADER: usize = 12;
/// RFC 1035 4.2.1: what a client without EDNS takes over UDP.
const PLAIN_UDP: usize = 512;
/// The largest answer given over UDP, and what is announced: it fits every
/// path without fragments (RFC 9715 3.1).
pub(super) const EDNS_UDP: u16 = 1232;
/// The type and the class that stand for all, RFC 1035 3.2.3 and 3.2.5.
pub(super) const ANY: u16 = 255;
/// Records a query may carry beside its question (OPT, a signature, padding).
const MAX_EXTRA: usize = 8;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In a datagram; the answer may have to be cut.
    Udp,
    /// Over a stream, with a length in front; the answer is never cut.
    Tcp,
}

/// What a message is to a server.
#[derive(Debug)]
pub(super) enum Received {
    /// A question to answer.
    Query(Query),
    /// Something to answer with this error, already in wire format.
    Error(Vec<u8>),
    /// Nothing to answer: a reply, or too short to be answered.
    Ignore,
}

/// One question.
#[derive(Debug, Clone)]
pub(super) struct Query {
    id: u16,
    recursion_desired: bool,
    checking_disabled: bool,
    name: Name<'static>,
    kind: u16,
    class: u16,
    /// The question as it came: a type this crate has no word for goes back as
    /// it came, and so do the upper and lower case of the name.
    question: Vec<u8>,
    /// The client's UDP size, if it speaks EDNS.
    edns: Option<u16>,
    transport: Transport,
}

/// The records that answer a question.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Answer section, as types of data; every record bears the question's name.
    pub(super) records: Vec<RData<'static>>,
    /// Seconds the records may be kept.
    pub(super) ttl: u32,
    /// The name does not exist.
    pub(super) no_such_name: bool,
    /// The zone the answer is authoritative for, and its SOA: given with
    /// negative answers (RFC 2308 section 3).
    pub(super) authority: Option<(Name<'static>, RData<'static>)>,
}

impl Query {
    pub(super) fn parse(message: &[u8], transport: Transport) -> Received {
        let Some(header) = message.first_chunk::<HEADER>() else {
            return Received::Ignore;
        };
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        // A reply must never be replied to, whatever is wrong with it.
        if header[2] & 0x80 != 0 {
            return Received::Ignore;
        }
        if (header[2] >> 3) & 0x0f != 0 {
            return Received::Error(bare_error(header, 4 /* NOTIMP */));
        }
        let extra = usize::from(word(6)) + usize::from(word(8)) + usize::from(word(10));
        // RFC 9619 section 4: one question. The bound on the other counts is
        // on what a header alone can make the parser reserve.
        if word(4) != 1 || extra > MAX_EXTRA {
            return Received::Error(bare_error(header, 1 /* FORMERR */));
        }
        Self::read(message, transport).unwrap_or_else(|| Received::Error(bare_error(header, 1)))
    }

    /// None when the message is malformed.
    fn read(message: &[u8], transport: Transport) -> Option<Received> {
        let question = question(message)?;
        let (_, fixed) = question.split_last_chunk::<4>()?;
        let [kind_high, kind_low, class_high, class_low] = *fixed;
        // The parser refuses types it does not know. They are none of its
        // business here: it reads the name and what follows the question.
        let mut readable = message.to_vec();
        let fixed = HEADER + question.len() - 4..HEADER + question.len();
        readable.get_mut(fixed)?.copy_from_slice(&[0, 1, 0, 1]);
        let packet = Packet::parse(&readable).ok()?;
        let mut query = Self {
            id: packet.id(),
            recursion_desired: packet.has_flags(PacketFlag::RECURSION_DESIRED),
            checking_disabled: packet.has_flags(PacketFlag::CHECKING_DISABLED),
            name: packet.questions.first()?.qname.clone().into_owned(),
            kind: u16::from_be_bytes([kind_high, kind_low]),
            class: u16::from_be_bytes([class_high, class_low]),
            question: question.to_vec(),
            edns: None,
            transport,
        };
        // RFC 6891 6.1.1: more than one OPT is a format error. The parser has
        // taken the first one out of the section.
        let another = |record: &ResourceRecord<'_>| record.rdata.type_code() == TYPE::OPT;
        if packet.additional_records.iter().any(another) {
            return Some(Received::Error(query.error(RCODE::FormatError)));
        }
        if let Some(opt) = packet.opt() {
            query.edns = Some(opt.udp_packet_size);
            // RFC 6891 6.1.3.
            if opt.version != 0 {
                return Some(Received::Error(query.error(RCODE::BADVERS)));
            }
        }
        Some(Received::Query(query))
    }

    pub(super) fn name(&self) -> &Name<'static> {
        &self.name
    }

    /// The number of the type asked for.
    pub(super) fn kind(&self) -> u16 {
        self.kind
    }

    pub(super) fn is_internet(&self) -> bool {
        self.class == CLASS::IN as u16 || self.class == ANY
    }

    /// Whether the question is for records of type `kind`.
    pub(super) fn asks_for(&self, kind: TYPE) -> bool {
        self.kind == ANY || self.kind == u16::from(kind)
    }

    /// The bytes of an answer; cut to the header and question with TC when it
    /// is larger than the client takes.
    pub(super) fn answer(&self, answer: &Answer) -> Vec<u8> {
        let mut packet = self.reply();
        if answer.no_such_name {
            *packet.rcode_mut() = RCODE::NameError;
        }
        for data in &answer.records {
            packet.answers.push(ResourceRecord::new(self.name.clone(), CLASS::IN, answer.ttl, data.clone()));
        }
        if let Some((zone, soa)) = &answer.authority {
            packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
            if packet.answers.is_empty() {
                let record = ResourceRecord::new(zone.clone(), CLASS::IN, answer.ttl, soa.clone());
                packet.name_servers.push(record);
            }
        }
        let bytes = self.build(&packet);
        if bytes.len() <= self.limit() {
            return bytes;
        }
        let mut packet = self.reply();
        packet.set_flags(PacketFlag::TRUNCATION);
        self.build(&packet)
    }

    /// The bytes of an answer that only says why there is none.
    pub(super) fn error(&self, code: RCODE) -> Vec<u8> {
        let mut packet = self.reply();
        *packet.rcode_mut() = code;
        self.build(&packet)
    }

    fn reply(&self) -> Packet<'static> {
        let mut packet = Packet::new_reply(self.id);
        packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
        if self.recursion_desired {
            packet.set_flags(PacketFlag::RECURSION_DESIRED);
        }
        if self.checking_disabled {
            packet.set_flags(PacketFlag::CHECKING_DISABLED);
        }
        // Overwritten by `build` with the question as it came.
        packet.questions.push(Question::new(self.name.clone(), TYPE::A.into(), CLASS::IN.into(), false));
        // RFC 6891 6.1.1: an OPT in the answer exactly when there was one.
        if self.edns.is_some() {
            *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: EDNS_UDP, version: 0 });
        }
        packet
    }

    fn build(&self, packet: &Packet<'_>) -> Vec<u8> {
        let Ok(mut bytes) = packet.build_bytes_vec_compressed() else {
            let [high, low] = self.id.to_be_bytes();
            return bare_error(&[high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 2 /* SERVFAIL */);
        };
        // The first name of a message cannot be compressed, so the question
        // has its own length in every message.
        if let Some(question) = bytes.get_mut(HEADER..HEADER + self.question.len()) {
            question.copy_from_slice(&self.question);
        }
        bytes
    }

    fn limit(&self) -> usize {
        match (self.transport, self.edns) {
            (Transport::Tcp, _) => usize::from(u16::MAX),
            (Transport::Udp, None) => PLAIN_UDP,
            // RFC 6891 6.2.3: values below 512 are 512.
            (Transport::Udp, Some(size)) => usize::from(size.min(EDNS_UDP)).max(PLAIN_UDP),
        }
    }
}

impl Answer {
    /// The name exists, but has no such records.
    pub(super) fn no_data() -> Self {
        Self::default()
    }

    /// The name does not exist.
    pub(super) fn no_such_name() -> Self {
        Self { no_such_name: true, ..Self::default() }
    }
}

/// A header and nothing else, for messages whose question cannot be repeated.
fn bare_error(query: &[u8; HEADER], code: u8) -> Vec<u8> {
    let mut reply = vec![0; HEADER];
    reply[..2].copy_from_slice(&query[..2]);
    // QR, and the opcode and RD of the query; RA and the code.
    reply[2] = 0x80 | (query[2] & 0x79);
    reply[3] = 0x80 | code;
    reply
}

/// Whether `reply` can be the answer to `query`: same identifier, a response,
/// and the same question (RFC 5452 section 9.1).
pub(super) fn answers(reply: &[u8], query: &[u8]) -> bool {
    let (Some(r), Some(q)) = (reply.first_chunk::<HEADER>(), query.first_chunk::<HEADER>()) else {
        return false;
    };
    if r[..2] != q[..2] || r[2] & 0x80 == 0 {
        return false;
    }
    if r[4..6] == [0, 0] {
        // Errors may leave the question out.
        return r[3] & 0x0f != 0;
    }
    match (question(reply), question(query)) {
        (Some(theirs), Some(ours)) => theirs.eq_ignore_ascii_case(ours),
        _ => false,
    }
}

/// The bytes of the first question: an uncompressed name, type and class.
fn question(message: &[u8]) -> Option<&[u8]> {
    let mut at = HEADER;
    loop {
        match usize::from(*message.get(at)?) {
            0 => break,
            length if length < 64 => at += 1 + length,
            _ => return None,
        }
    }
    message.get(HEADER..at + 5)
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use simple_dns::rdata::A;

    fn message(change: impl FnOnce(&mut Packet<'static>)) -> Vec<u8> {
        let mut packet = Packet::new_query(0x1234);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet.questions.push(Question::new(
            Name::new("eXample.org").unwrap(),
            TYPE::A.into(),
            CLASS::IN.into(),
            false,
        ));
        change(&mut packet);
        packet.build_bytes_vec().unwrap()
    }

    fn query(message: &[u8], transport: Transport) -> Query {
        match Query::parse(message, transport) {
            Received::Query(query) => query,
            other => panic!("{other:?}"),
        }
    }

    fn many(count: u32) -> Answer {
        Answer { records: (0..count).map(|address| RData::A(A { address })).collect(), ttl: 5, ..Answer::default() }
    }

    #[test]
    fn an_answer_repeats_identifier_question_and_recursion_flag() {
        let query = query(&message(|_| {}), Transport::Udp);
        let bytes = query.answer(&many(2));
        let reply = Packet::parse(&bytes).unwrap();
        assert_eq!(reply.id(), 0x1234);
        assert!(reply.has_flags(PacketFlag::RESPONSE | PacketFlag::RECURSION_DESIRED));
        assert_eq!(reply.questions[0].qname.to_string(), "eXample.org");
        assert_eq!(reply.answers.len(), 2);
        assert_eq!(reply.answers[0].ttl, 5);
        assert!(reply.opt().is_none());
    }

    #[test]
    fn an_answer_too_large_for_udp_is_cut_and_whole_over_tcp() {
        let plain = message(|_| {});
        let bytes = query(&plain, Transport::Udp).answer(&many(60));
        let reply = Packet::parse(&bytes).unwrap();
        assert!(bytes.len() <= 512);
        assert!(reply.has_flags(PacketFlag::TRUNCATION));
        assert!(reply.answers.is_empty());
        let bytes = query(&plain, Transport::Tcp).answer(&many(60));
        let reply = Packet::parse(&bytes).unwrap();
        assert!(!reply.has_flags(PacketFlag::TRUNCATION));
        assert_eq!(reply.answers.len(), 60);
    }

    #[test]
    fn edns_raises_the_limit_and_is_answered_with_edns() {
        let with = |size, version| {
            message(|packet| {
                *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: size, version });
            })
        };
        let bytes = query(&with(4096, 0), Transport::Udp).answer(&many(60));
        let reply = Packet::parse(&bytes).unwrap();
        assert_eq!(reply.answers.len(), 60);
        assert_eq!(reply.opt().unwrap().udp_packet_size, EDNS_UDP);
        let bytes = query(&with(4096, 0), Transport::Udp).answer(&many(100));
        assert!(Packet::parse(&bytes).unwrap().has_flags(PacketFlag::TRUNCATION));
        let Received::Error(bytes) = Query::parse(&with(4096, 1), Transport::Udp) else {
            panic!("version 1 must be refused");
        };
        assert_eq!(Packet::parse(&bytes).unwrap().rcode(), RCODE::BADVERS);
    }

    #[test]
    fn what_is_no_query_gets_the_error_that_says_so_or_nothing() {
        let good = message(|_| {});
        let code = |bytes: &[u8]| match Query::parse(bytes, Transport::Udp) {
            Received::Error(reply) => {
                assert_eq!(reply[..2], bytes[..2], "identifier");
                assert_eq!(reply[2] & 0x80, 0x80, "is a reply");
                Some(reply[3] & 0x0f)
            }
            Received::Ignore => None,
            Received::Query(query) => panic!("{query:?}"),
        };
        assert_eq!(code(&good[..11]), None, "no header");
        assert_eq!(code(&good[..good.len() - 1]), Some(1), "cut short");
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        assert_eq!(code(&changed(2, 0x81)), None, "a reply");
        assert_eq!(code(&changed(2, 0x29)), Some(4), "an update");
        assert_eq!(code(&changed(5, 0)), Some(1), "no question");
        assert_eq!(code(&changed(5, 2)), Some(1), "two questions");
        assert_eq!(code(&changed(6, 255)), Some(1), "65280 answers");
        assert_eq!(code(&changed(12, 0xff)), Some(1), "a pointer beyond the end");
        assert_eq!(code(&changed(12, 0x80)), Some(1), "a reserved label type");
    }

    #[test]
    fn a_reply_is_matched_by_identifier_and_question() {
        let query = message(|_| {});
        let mut reply = message(|packet| packet.set_flags(PacketFlag::RESPONSE));
        assert!(answers(&reply, &query));
        assert!(!answers(&query, &query), "not a reply");
        reply[13] = b'E';
        assert!(answers(&reply, &query), "case does not matter");
        reply[14] = b'y';
        assert!(!answers(&reply, &query), "another name");
        reply[14] = b'x';
        reply[0] ^= 1;
        assert!(!answers(&reply, &query), "another identifier");
    }

    #[test]
    fn damaged_messages_never_panic() {
        let good = message(|packet| {
            *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: 1232, version: 0 });
        });
        let mut state = 1u64;
        for _ in 0..200_000 {
            let mut bytes = good.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            bytes.truncate((state >> 40) as usize % (bytes.len() * 2));
            if let Received::Query(query) = Query::parse(&bytes, Transport::Udp) {
                assert!(query.answer(&many(3)).len() <= 1232);
            }
            let _ = answers(&bytes, &good);
        }
    }
}
