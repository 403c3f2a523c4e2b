//! The elements of a tuple where it lies; rustler copies them into a vector, for each frame that is sent.
#![allow(unsafe_code)]

use rustler::sys::enif_get_tuple;
use rustler::{Error, NifResult, Term};
use std::ptr::null;

/// A tuple, known to have two or three elements.
pub(crate) enum Tuple<'a> {
    Pair(Term<'a>, Term<'a>),
    Triple(Term<'a>, Term<'a>, Term<'a>),
}

pub(crate) fn tuple(term: Term<'_>) -> NifResult<Tuple<'_>> {
    let env = term.get_env();
    let (mut arity, mut elements) = (0, null());
    // SAFETY: the term belongs to the environment, and the rest is where the results go.
    let is_tuple = unsafe {
        enif_get_tuple(
            env.as_c_arg(),
            term.as_c_arg(),
            &raw mut arity,
            &raw mut elements,
        )
    };
    // SAFETY: below, `index` is less than the arity; elements belong to the environment of their tuple.
    let element = |index| unsafe { Term::new(env, *elements.add(index)) };
    match (is_tuple, arity) {
        (1, 2) => Ok(Tuple::Pair(element(0), element(1))),
        (1, 3) => Ok(Tuple::Triple(element(0), element(1), element(2))),
        _ => Err(Error::BadArg),
    }
}
