//! How the emulator gets to know this library, and what happens when the module is loaded again.
//!
//! `rustler::init!` offers no upgrade callback, so that a module with its entry can be loaded once and, when it has been
//! purged, begins with new resource types that the open connections do not have. This entry allows both: what one image of
//! the library holds stays valid as long as the process lives, however often the module is loaded or purged.
//!
//! Another image, a library from another file, knows nothing of the connections of this one. It takes over only when
//! nothing of this one is loaded any more.
#![allow(unsafe_code)]

use crate::resources;
use once_cell::sync::OnceCell;
use rustler::Env;
use rustler::codegen_runtime::{
    ErlNifEntry, ErlNifEnv, ErlNifTerm, ResourceRegistration, c_int, c_void,
    internal_write_symbols, inventory,
};
use std::sync::atomic::{AtomicBool, Ordering};

struct Entry(ErlNifEntry);

// SAFETY: written once, and its pointers are to what is never freed.
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

static ENTRY: OnceCell<Entry> = OnceCell::new();

/// Whether the resource types of this image exist. Its address is what tells one image from another.
static REGISTERED: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
extern "C" fn nif_init() -> *const ErlNifEntry {
    // SAFETY: the emulator loads one library at a time, and nothing of this one runs before the first time.
    ENTRY.get_or_init(|| unsafe {
        internal_write_symbols();
        Entry(entry())
    });
    ENTRY
        .get()
        .map_or(std::ptr::null(), |entry| &raw const entry.0)
}

fn entry() -> ErlNifEntry {
    let functions: Vec<_> = inventory::iter::<rustler::Nif>()
        .map(rustler::Nif::get_def)
        .collect();
    let mut entry = ErlNifEntry::new(c"drover_nif", functions.leak(), load);
    entry.upgrade = Some(upgrade);
    entry
}

/// No other instance of the module is loaded.
extern "C" fn load(env: *mut ErlNifEnv, private: *mut *mut c_void, _info: ErlNifTerm) -> c_int {
    std::panic::catch_unwind(|| {
        // SAFETY: the emulator calls this with an environment for loading and a place for a pointer.
        unsafe {
            if !REGISTERED.load(Ordering::Acquire) {
                let env = Env::new_init_env(&env, env);
                if ResourceRegistration::register_all_collected(env).is_err() {
                    return 1;
                }
                resources::pin();
                REGISTERED.store(true, Ordering::Release);
            }
            *private = image();
        }
        0
    })
    .unwrap_or(1)
}

/// Another instance of the module is loaded, and will be there until it is purged.
extern "C" fn upgrade(
    _env: *mut ErlNifEnv,
    private: *mut *mut c_void,
    old_private: *mut *mut c_void,
    _info: ErlNifTerm,
) -> c_int {
    // SAFETY: the emulator calls this with what `load` has put down and a place for the same.
    unsafe {
        if *old_private != image() {
            return 1;
        }
        *private = image();
    }
    0
}

fn image() -> *mut c_void {
    (&raw const REGISTERED).cast_mut().cast()
}
