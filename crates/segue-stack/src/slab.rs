//! Numbered places for values, each with a generation, so that an old name never means a new value.
//!
//! Decides nothing but where values live: in chunks of places that never move, so that neither growing nor what is allocated
//! meanwhile comes between them. Insert, get and remove are O(1); a chunk whose values have all gone gives its memory back,
//! but for one that is kept for the next. Invariants: a generation is odd while its place is taken and even while it is
//! free; it never repeats within 2^31 uses of one place; the list of chunks with room names each of them once.

/// Places of a chunk: a power of two.
const CHUNK: usize = 64;
/// The end of a list.
const NONE: u32 = u32::MAX;
/// Places at most: tables that name values keep two bits of an index for themselves, and one name.
const MOST: usize = (1 << 30) - CHUNK;

/// Values under `(index, generation)` names.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    len: usize,
    /// First of the chunks with room.
    room: u32,
    /// A chunk that is empty and has kept its memory.
    spare: Option<u32>,
}

#[derive(Debug)]
struct Chunk<T> {
    /// Empty: the chunk has given its memory back.
    places: Vec<Place<T>>,
    taken: u32,
    /// First of the places that were given back.
    free: u32,
    /// Next chunk with room.
    next: u32,
    /// What places begin with when they are made: no place of this chunk has had a later generation.
    generation: u32,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    /// Next place of the chunk that was given back.
    next: u32,
    value: Option<T>,
}

impl<T> Chunk<T> {
    /// A place for a value, which there is.
    fn insert(&mut self, value: T) -> (usize, u32) {
        self.taken += 1;
        if self.free == NONE {
            let generation = self.generation.wrapping_add(1);
            self.places.push(Place { generation, next: NONE, value: Some(value) });
            return (self.places.len() - 1, generation);
        }
        let at = self.free as usize;
        let place = &mut self.places[at];
        self.free = place.next;
        place.generation = place.generation.wrapping_add(1);
        place.value = Some(value);
        (at, place.generation)
    }

    fn is_full(&self) -> bool {
        self.taken as usize == CHUNK
    }

    /// Gives the memory of a chunk without values back; generations go on from the highest.
    fn release(&mut self) {
        let first = self.generation;
        // The furthest from where they began: generations wrap.
        let furthest = self.places.iter().map(|place| place.generation.wrapping_sub(first)).max();
        self.generation = first.wrapping_add(furthest.unwrap_or(0));
        (self.places, self.free) = (Vec::new(), NONE);
    }
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab { chunks: Vec::new(), len: 0, room: NONE, spare: None }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Store a value; gives its index and generation. `None` only when nearly 2^30 places are taken.
    pub(crate) fn insert(&mut self, value: T) -> Option<(u32, u32)> {
        if self.room == NONE {
            self.add_chunk()?;
        }
        let number = self.room;
        let chunk = &mut self.chunks[number as usize];
        // All places at once, but for the first chunk: a stack with few sockets is small.
        if chunk.places.capacity() == 0 && number > 0 {
            chunk.places.reserve_exact(CHUNK);
        }
        let (at, generation) = chunk.insert(value);
        if chunk.is_full() {
            self.room = chunk.next;
        }
        if self.spare == Some(number) {
            self.spare = None;
        }
        self.len += 1;
        Some((number * CHUNK as u32 + at as u32, generation))
    }

    fn add_chunk(&mut self) -> Option<()> {
        if self.chunks.len() * CHUNK >= MOST {
            return None;
        }
        self.room = self.chunks.len() as u32;
        self.chunks.push(Chunk { places: Vec::new(), taken: 0, free: NONE, next: NONE, generation: 0 });
        Some(())
    }

    fn place(&self, index: u32) -> Option<&Place<T>> {
        self.chunks.get(index as usize / CHUNK)?.places.get(index as usize % CHUNK)
    }

    fn place_mut(&mut self, index: u32) -> Option<&mut Place<T>> {
        self.chunks.get_mut(index as usize / CHUNK)?.places.get_mut(index as usize % CHUNK)
    }

    /// The value at an index, whatever its generation: for names that are removed together with the value.
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        self.place(index)?.value.as_ref()
    }

    /// As [`at`](Self::at), to change it.
    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.place_mut(index)?.value.as_mut()
    }

    /// The generation of the value at an index.
    pub(crate) fn generation(&self, index: u32) -> Option<u32> {
        let place = self.place(index)?;
        place.value.is_some().then_some(place.generation)
    }

    /// The value with exactly this name.
    pub(crate) fn get(&self, index: u32, generation: u32) -> Option<&T> {
        let place = self.place(index)?;
        if place.generation == generation { place.value.as_ref() } else { None }
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, index: u32, generation: u32) -> Option<&mut T> {
        let place = self.place_mut(index)?;
        if place.generation == generation { place.value.as_mut() } else { None }
    }

    /// Take the value out.
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.place_mut(index)?.value.take()?;
        self.vacate(index);
        Some(value)
    }

    /// As [`remove`](Self::remove), for a value that nobody wants: it ends where it lies. `false`: there is none.
    pub(crate) fn discard(&mut self, index: u32) -> bool {
        let Some(place) = self.place_mut(index).filter(|place| place.value.is_some()) else { return false };
        place.value = None;
        self.vacate(index);
        true
    }

    /// The place at `index` has lost its value.
    fn vacate(&mut self, index: u32) {
        let (number, at) = (index / CHUNK as u32, index % CHUNK as u32);
        let chunk = &mut self.chunks[number as usize];
        if chunk.is_full() {
            chunk.next = core::mem::replace(&mut self.room, number);
        }
        let place = &mut chunk.places[at as usize];
        place.generation = place.generation.wrapping_add(1);
        place.next = core::mem::replace(&mut chunk.free, at);
        chunk.taken -= 1;
        self.len -= 1;
        if chunk.taken == 0 {
            match self.spare {
                None => self.spare = Some(number),
                Some(_) => chunk.release(),
            }
        }
    }

    /// Bytes of places that are held, taken or not.
    pub(crate) fn room(&self) -> usize {
        let places: usize = self.chunks.iter().map(|chunk| chunk.places.capacity()).sum();
        self.chunks.capacity() * size_of::<Chunk<T>>() + places * size_of::<Place<T>>()
    }

    /// No value has this index or a higher one.
    pub(crate) fn extent(&self) -> u32 {
        (self.chunks.len() * CHUNK) as u32
    }

    /// All values with their indices, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.chunks.iter().enumerate().flat_map(|(number, chunk)| {
            let first = number * CHUNK;
            let places = chunk.places.iter().enumerate();
            places.filter_map(move |(at, place)| Some(((first + at) as u32, place.value.as_ref()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_under_another_name() {
        let mut slab = Slab::new();
        let (index, first) = slab.insert("a").unwrap();
        assert_eq!(slab.remove(index), Some("a"));
        assert_eq!(slab.get(index, first), None);
        let (again, second) = slab.insert("b").unwrap();
        assert_eq!(again, index);
        assert_ne!(first, second);
        assert_eq!(slab.get(index, first), None);
        assert_eq!(slab.get(index, second), Some(&"b"));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn removing_twice_gives_the_value_once() {
        let mut slab = Slab::new();
        let (index, _) = slab.insert(7).unwrap();
        assert_eq!(slab.remove(index), Some(7));
        assert_eq!(slab.remove(index), None);
        assert!(!slab.discard(index));
        assert_eq!(slab.len(), 0);
        assert_eq!(slab.remove(99), None);
    }

    /// Places whose memory is held.
    fn held<T>(slab: &Slab<T>) -> usize {
        slab.chunks.iter().map(|chunk| chunk.places.capacity()).sum()
    }

    #[test]
    fn chunks_whose_values_have_gone_give_their_memory_back_and_no_name_ever_returns() {
        let mut slab = Slab::new();
        let mut old = Vec::new();
        // Close to where generations wrap, too.
        slab.insert(0).unwrap();
        slab.chunks[0].generation = u32::MAX - 3;
        slab.chunks[0].places[0].generation = u32::MAX - 2;
        slab.discard(0);
        for round in 0..5 {
            let names: Vec<_> = (0..1000).map(|n| slab.insert(n).unwrap()).collect();
            assert_eq!((slab.len(), slab.chunks.len()), (1000, 1000usize.div_ceil(CHUNK)), "places are used again");
            assert_eq!(held(&slab), slab.chunks.len() * CHUNK);
            for (n, (index, generation)) in names.iter().enumerate() {
                assert_eq!(slab.get(*index, *generation), Some(&n));
            }
            assert!(old.iter().all(|(index, generation)| slab.get(*index, *generation).is_none()), "round {round}");
            assert_eq!(slab.iter().count(), 1000);
            // Forwards and backwards, so that chunks empty in either order.
            for n in 0..1000 {
                let (index, _) = names[if round % 2 == 0 { n } else { 999 - n }];
                assert!(slab.discard(index));
            }
            assert_eq!((slab.len(), slab.iter().count()), (0, 0));
            assert!(held(&slab) <= CHUNK, "{} places are held for nothing", held(&slab));
            old.extend(names);
        }
    }

    #[test]
    fn values_come_in_the_order_of_their_places_and_those_of_a_chunk_do_not_move() {
        let mut slab = Slab::new();
        let names: Vec<_> = (0..3 * CHUNK).map(|n| slab.insert(n).unwrap()).collect();
        let second = core::ptr::from_ref(slab.at(CHUNK as u32).unwrap());
        for (index, _) in names.iter().step_by(3) {
            slab.remove(*index);
        }
        for n in 0..10 * CHUNK {
            slab.insert(n).unwrap();
        }
        assert!(slab.iter().zip(slab.iter().skip(1)).all(|((before, _), (after, _))| before < after));
        assert_eq!(core::ptr::from_ref(slab.at(CHUNK as u32).unwrap()), second);
    }
}
