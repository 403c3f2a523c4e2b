//! Sockets, queues and credit.
