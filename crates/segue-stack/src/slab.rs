//! Numbered places for values, each with a generation, so that an old name never means a new value.
//!
//! Decides nothing but where values live. Insert, get and remove are O(1). Invariant: a generation is odd while its place
//! is taken and even while it is free; it never repeats within 2^31 uses of one place.

/// Values under `(index, generation)` names.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Store a value; gives its index and generation. `None` only when 2^32 - 1 places are taken.
    pub(crate) fn insert(&mut self, value: T) -> Option<(u32, u32)> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.places.len()).ok().filter(|index| *index < u32::MAX)?;
                self.places.push(Place { generation: 0, value: None });
                index
            }
        };
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        place.value = Some(value);
        Some((index, place.generation))
    }

    /// The value at an index, whatever its generation: for names that are removed together with the value.
    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        self.places.get(index as usize)?.value.as_ref()
    }

    /// As [`at`](Self::at), to change it.
    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.places.get_mut(index as usize)?.value.as_mut()
    }

    /// The generation of the value at an index.
    pub(crate) fn generation(&self, index: u32) -> Option<u32> {
        let place = self.places.get(index as usize)?;
        place.value.is_some().then_some(place.generation)
    }

    /// The value with exactly this name.
    pub(crate) fn get(&self, index: u32, generation: u32) -> Option<&T> {
        let place = self.places.get(index as usize)?;
        if place.generation == generation { place.value.as_ref() } else { None }
    }

    /// As [`get`](Self::get), to change it.
    pub(crate) fn get_mut(&mut self, index: u32, generation: u32) -> Option<&mut T> {
        let place = self.places.get_mut(index as usize)?;
        if place.generation == generation { place.value.as_mut() } else { None }
    }

    /// Take the value out.
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let place = self.places.get_mut(index as usize)?;
        let value = place.value.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }

    /// All values with their indices, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.places.iter().enumerate().filter_map(|(index, place)| Some((index as u32, place.value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

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
        assert_eq!(slab.len(), 0);
        assert_eq!(slab.remove(99), None);
    }
}
