//! Chunks against a plain vector that does the same the slow way.

mod common;

use common::{cut, pattern};
use proptest::prelude::*;
use segue_wire::{Bytes, Chunks};

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    PushFront(Vec<u8>),
    Extend(Vec<u8>, Vec<usize>),
    Split(usize),
    Truncate(usize),
    Advance(usize),
    Pop,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        bytes().prop_map(Step::Push),
        bytes().prop_map(Step::PushFront),
        (bytes(), prop::collection::vec(any::<usize>(), 0..4)).prop_map(|(bytes, cuts)| Step::Extend(bytes, cuts)),
        (0usize..60).prop_map(Step::Split),
        (0usize..60).prop_map(Step::Truncate),
        (0usize..60).prop_map(Step::Advance),
        Just(Step::Pop),
    ]
}

fn check(chunks: &Chunks, model: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(chunks.len(), model.len());
    prop_assert_eq!(chunks.is_empty(), model.is_empty());
    prop_assert_eq!(chunks.to_vec(), model);
    prop_assert_eq!(chunks.iter().count(), chunks.slices());
    prop_assert!(chunks.iter().all(|part| !part.is_empty()), "an empty slice in the list");
    prop_assert_eq!(&chunks.clone().into_contiguous()[..], model);
    Ok(())
}

proptest! {
    #[test]
    fn whatever_is_done_the_bytes_are_those_of_a_vector(steps in prop::collection::vec(step(), 0..40)) {
        let mut chunks = Chunks::new();
        let mut model: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Push(bytes) => {
                    model.extend_from_slice(&bytes);
                    chunks.push_back(Bytes::from(bytes));
                }
                Step::PushFront(bytes) => {
                    model.splice(..0, bytes.iter().copied());
                    chunks.push_front(Bytes::from(bytes));
                }
                Step::Extend(bytes, cuts) => {
                    model.extend_from_slice(&bytes);
                    chunks.extend(cut(&bytes, &cuts));
                }
                Step::Split(n) => {
                    let rest = model.split_off(n.min(model.len()));
                    let front = chunks.split_to(n);
                    check(&front, &model)?;
                    model = rest;
                }
                Step::Truncate(n) => {
                    model.truncate(n);
                    chunks.truncate(n);
                }
                Step::Advance(n) => {
                    model.drain(..n.min(model.len()));
                    chunks.advance(n);
                }
                Step::Pop => match chunks.pop_front() {
                    Some(first) => {
                        let rest = model.split_off(first.len());
                        prop_assert_eq!(&first[..], &model[..]);
                        model = rest;
                    }
                    None => prop_assert!(model.is_empty()),
                },
            }
            check(&chunks, &model)?;
        }
    }

    #[test]
    fn a_copy_out_and_a_view_give_what_a_vector_gives(
        len in 0usize..80,
        seed: u64,
        cuts in prop::collection::vec(any::<usize>(), 0..5),
        offset in 0usize..100,
        room in 0usize..100,
    ) {
        let bytes = pattern(len, seed);
        let chunks = cut(&bytes, &cuts);
        let wanted = &bytes[offset.min(len)..(offset + room).min(len)];
        let mut out = vec![0; room];
        let n = chunks.copy_to_slice(offset, &mut out);
        prop_assert_eq!(&out[..n], wanted);
        check(&chunks.slice(offset, room), wanted)?;
    }

    #[test]
    fn equality_is_that_of_the_bytes_however_they_are_cut(
        len in 1usize..60,
        seed: u64,
        one in prop::collection::vec(any::<usize>(), 0..4),
        other in prop::collection::vec(any::<usize>(), 0..4),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bytes = pattern(len, seed);
        let a = cut(&bytes, &one);
        prop_assert_eq!(&a, &cut(&bytes, &other));
        let at = at.index(len);
        bytes[at] ^= 1;
        prop_assert_ne!(&a, &cut(&bytes, &other));
    }
}

#[test]
fn splitting_copies_nothing() {
    let bytes = Bytes::from(pattern(100, 7));
    let start = bytes.as_ptr() as usize;
    let mut chunks = Chunks::from(bytes);
    let front = chunks.split_to(30);
    let first = front.into_contiguous();
    let second = chunks.into_contiguous();
    assert_eq!(first.as_ptr() as usize, start);
    assert_eq!(second.as_ptr() as usize, start + 30);
}

#[test]
fn the_common_payload_costs_no_more_than_a_slice_and_a_word() {
    assert!(size_of::<Chunks>() <= 48, "Chunks take {} bytes", size_of::<Chunks>());
    assert!(size_of::<segue_wire::Packet>() <= 208, "a packet takes {} bytes", size_of::<segue_wire::Packet>());
}
