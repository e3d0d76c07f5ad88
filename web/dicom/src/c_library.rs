//! What the JPEG 2000 decoder takes for granted, and a browser does not have: five functions of C, and an allocator that
//! forgives.
//!
//! The decoder (openjp2) is a translation of OpenJPEG that kept its way of asking for memory.
#![allow(unsafe_code, reason = "these are C's own interfaces, which pass bare pointers")]

use std::alloc::{GlobalAlloc, Layout, System, alloc, alloc_zeroed, dealloc, realloc as grow};
use std::ptr::null_mut;

/// The allocator of wasm, but null may be given back: openjp2 0.6.1 gives back what it never took where a code block has
/// no data (`opj_tcd_code_block_dec_deallocate`). C's own `free`, which is behind native allocators, passes that over.
struct Forgiving;

#[global_allocator]
static ALLOCATOR: Forgiving = Forgiving;

// SAFETY: all but null goes to the system's allocator as it comes.
unsafe impl GlobalAlloc for Forgiving {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !block.is_null() {
            // SAFETY: as in `alloc`.
            unsafe { System.dealloc(block, layout) }
        }
    }
}

/// In front of each block lies its length. C promises alignment for every type, which is 16 bytes, and so the header
/// takes as much.
const HEADER: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// Writes the length in front and gives what follows.
///
/// # Safety
/// `block` is null or of `HEADER` bytes at least, aligned to it.
unsafe fn finished(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return null_mut();
    }
    // SAFETY: the block begins with a header, by the caller's promise.
    unsafe {
        block.cast::<usize>().write(size);
        block.add(HEADER)
    }
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    let Some(layout) = layout(size) else { return null_mut() };
    // SAFETY: the layout is of HEADER bytes at least.
    unsafe { finished(alloc(layout), size) }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
    let Some(size) = count.checked_mul(size) else { return null_mut() };
    let Some(layout) = layout(size) else { return null_mut() };
    // SAFETY: the layout is of HEADER bytes at least.
    unsafe { finished(alloc_zeroed(layout), size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        return malloc(size);
    }
    // SAFETY: the pointer comes from one of these functions, so its header lies in front of it.
    unsafe {
        let block = pointer.sub(HEADER);
        let (Some(before), Some(_)) = (layout(block.cast::<usize>().read()), layout(size)) else {
            return null_mut();
        };
        finished(grow(block, before, size + HEADER), size)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(pointer: *mut u8) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: as in `realloc`; its layout was made once already.
    unsafe {
        let block = pointer.sub(HEADER);
        if let Some(layout) = layout(block.cast::<usize>().read()) {
            dealloc(block, layout);
        }
    }
}

/// Only its encoder calls this, which nothing here does; the linker asks for it all the same.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcpy(to: *mut u8, from: *const u8) -> *mut u8 {
    let mut at = 0;
    // SAFETY: by C's contract `from` ends with a zero, and `to` has room for all of it.
    unsafe {
        loop {
            let byte = from.add(at).read();
            to.add(at).write(byte);
            if byte == 0 {
                return to;
            }
            at += 1;
        }
    }
}
