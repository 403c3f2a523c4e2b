//! The time that each piece of work takes, and that of copying as many bytes, the measure for those that touch every byte.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

fn rules(criterion: &mut Criterion) {
    for mut work in drover_micro::works() {
        let (group, name) = work.name.split_once('/').expect("names have two parts");
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Bytes(work.bytes as u64));
        group.bench_function(name, |bencher| bencher.iter(|| (work.run)()));
    }
}

fn copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy");
    for (name, size) in [
        ("125", 125),
        ("1k", 1 << 10),
        ("16k", 16 << 10),
        ("64k", 64 << 10),
        ("1m", 1 << 20),
        ("64m", 64 << 20),
    ] {
        let (from, mut to) = (vec![1u8; size], vec![0u8; size]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700));
    targets = copy, rules
}
criterion_main!(all);
