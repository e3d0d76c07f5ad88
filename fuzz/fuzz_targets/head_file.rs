//! The file of a taught head: what is read can be written and read again, and answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medley_head::Head;

fuzz_target!(|bytes: &[u8]| {
    let Ok(head) = Head::from_bytes(bytes) else { return };
    let Ok(written) = head.to_bytes() else { return };
    assert!(Head::from_bytes(&written).is_ok(), "a head that was read and written is read again");
    let _ = head.probabilities(&vec![0.5; head.width()]);
});
