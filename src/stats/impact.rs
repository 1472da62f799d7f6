//! How many were hit, and whether the rate rose or the traffic became another.

/// A change of a rate, taken apart: Kitagawa (1955), symmetric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// Rate after less rate before.
    pub total: f64,
    /// What of it the groups' own rates did: Σ ½(w₀+w₁)(r₁−r₀).
    pub rate: f64,
    /// What of it the groups' shares of the traffic did: Σ (w₁−w₀)·½(r₀+r₁).
    pub mix: f64,
}

/// A group's requests and failures, before and now.
pub type Shift = ((f64, f64), (f64, f64));

/// Takes a change apart by the groups of one dimension, each with its requests and failures before and now. A group
/// that had no requests on one side is taken to have had that side's whole rate there. `None` where one side has
/// no requests.
pub fn mix_or_rate(groups: &[Shift]) -> Option<Mix> {
    let sum = |of: fn(&Shift) -> (f64, f64)| {
        groups.iter().map(of).fold((0.0, 0.0), |(n, k), (m, j)| (n + m, k + j))
    };
    let (before, now) = (sum(|group| group.0), sum(|group| group.1));
    if before.0 <= 0.0 || now.0 <= 0.0 {
        return None;
    }
    let rate_of = |(n, k): (f64, f64), whole: (f64, f64)| if n > 0.0 { k / n } else { whole.1 / whole.0 };
    let (mut rate, mut mix) = (0.0, 0.0);
    for (was, is) in groups {
        let (w0, w1) = (was.0 / before.0, is.0 / now.0);
        let (r0, r1) = (rate_of(*was, before), rate_of(*is, now));
        rate += (w0 + w1) / 2.0 * (r1 - r0);
        mix += (w1 - w0) * (r0 + r1) / 2.0;
    }
    Some(Mix { total: now.1 / now.0 - before.1 / before.0, rate, mix })
}

/// How many users met a failure when each request fails with this probability, whoever makes it:
/// Σᵤ 1−(1−p)^mᵤ. `histogram` has how many users made so many requests.
pub fn expected_users(histogram: impl IntoIterator<Item = (u64, u64)>, rate: f64) -> f64 {
    let rate = rate.clamp(0.0, 1.0);
    histogram
        .into_iter()
        .map(|(requests, users)| users as f64 * (1.0 - (1.0 - rate).powf(requests as f64)))
        .sum()
}
