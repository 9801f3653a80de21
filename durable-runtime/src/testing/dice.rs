//! Where a seed decides.

use uuid::{Builder, Uuid};

/// Numbers that are the same for each run with one seed (`SplitMix64`).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// One of `count` places; 0 if there is none.
    pub(crate) fn place(&mut self, count: usize) -> usize {
        let place = self.below(u64::try_from(count).unwrap_or(u64::MAX));
        usize::try_from(place).unwrap_or_default()
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.roll() & 1 == 1
    }

    pub(crate) fn id(&mut self) -> Uuid {
        let number = u128::from(self.roll()) << 64 | u128::from(self.roll());
        Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_numbers_and_another_one_others() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            (0..8).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn a_place_is_one_of_those_there_are() {
        let mut dice = Dice::new(7);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[dice.place(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(dice.place(0), 0);
    }
}
