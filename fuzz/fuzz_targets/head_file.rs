#![no_main]
#![allow(missing_docs, reason = "what it does is said in src/targets.rs")]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    medley_fuzz::head_file(bytes);
});
