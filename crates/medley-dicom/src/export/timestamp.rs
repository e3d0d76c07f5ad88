//! When a result was made. The crate has no clock: browsers and programs hand the time in.

/// A moment in universal time, from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    seconds: u64,
}

const DAY: u64 = 86_400;
/// The end of the year 9999: dates have four digits of the year.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// Seconds since 1970-01-01 00:00 UTC; later than the year 9999 counts as its end.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self { seconds: seconds.min(LAST) }
    }

    /// As `20240229`.
    pub(super) fn date(self) -> String {
        // Days to civil date: years begin in March, so that the leap day is the last (H. Hinnant,
        // chrono-Compatible Low-Level Date Algorithms).
        let days = self.seconds / DAY + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        let day = day - (153 * shifted + 2) / 5 + 1;
        format!("{year:04}{month:02}{day:02}")
    }

    /// As `235959`.
    pub(super) fn time(self) -> String {
        let second = self.seconds % DAY;
        format!("{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| {
            let moment = Timestamp::from_unix_seconds(seconds);
            (moment.date(), moment.time())
        };
        assert_eq!(at(0), ("19700101".into(), "000000".into()));
        // `date -u -d @1709251199`
        assert_eq!(at(1_709_251_199), ("20240229".into(), "235959".into()));
        assert_eq!(at(u64::MAX), ("99991231".into(), "235959".into()));
    }
}
