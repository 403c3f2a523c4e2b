//! drover's native half as an Erlang NIF library.
