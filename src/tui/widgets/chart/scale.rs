//! From figures to rows.

/// A scale from nought to a round figure.
pub struct Scale {
    /// The figure at the top.
    pub top: f64,
}

impl Scale {
    /// The scale that holds all of these and goes to this at least; what is not finite or below nought has no say.
    pub fn of(least: f64, values: impl IntoIterator<Item = f64>) -> Self {
        let most = values.into_iter().filter(|value| value.is_finite()).fold(least, f64::max);
        Self { top: round_up(most) }
    }

    /// The height of a figure, from 0 to 1.
    pub fn height(&self, value: f64) -> f64 {
        if value.is_finite() { (value / self.top).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The least of 1, 1.6, 2, 3, 4, 5, 6, 8 and 10 times a power of ten that is not below this; 1 for nought.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(most.log10().floor());
    // Half of each is a short figure too: it stands in the middle.
    let round = [1.0, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|n| n * power);
    round.into_iter().find(|top| *top >= most).filter(|top| top.is_finite()).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_round_and_holds_all() {
        assert_eq!([0.0, 0.07, 1.0, 41.0, 5012.0].map(round_up), [1.0, 0.08, 1.0, 50.0, 6000.0]);
        assert_eq!(round_up(f64::MAX), f64::MAX);
        assert_eq!(Scale::of(0.0, [f64::NAN, -3.0, 7.0]).height(4.0), 0.5);
    }
}
