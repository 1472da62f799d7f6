//! From figures to rows.

use crate::text::figures::axis_top;

/// A scale from nought to a round figure.
pub struct Scale {
    /// The figure at the top.
    pub top: f64,
}

impl Scale {
    /// The scale that holds all of these and goes to this at least; what is not finite or below nought has no say.
    pub fn of(least: f64, values: impl IntoIterator<Item = f64>) -> Self {
        let most = values.into_iter().filter(|value| value.is_finite()).fold(least, f64::max);
        Self { top: axis_top(most) }
    }

    /// The height of a figure, from 0 to 1.
    pub fn height(&self, value: f64) -> f64 {
        if value.is_finite() { (value / self.top).clamp(0.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_parts_of_the_top() {
        assert_eq!(Scale::of(0.0, [f64::NAN, -3.0, 7.0]).height(4.0), 0.5);
    }
}
