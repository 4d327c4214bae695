//! How many connections there are, in all and from each address: a bound on what anybody can hold.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;

use crate::config::Service;

/// The places of all listeners.
pub struct Places {
    most: usize,
    most_of_one: usize,
    taken: AtomicUsize,
    of: DashMap<IpAddr, usize, foldhash::fast::RandomState>,
}

/// A place; given back when dropped.
pub struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// As many as configured, all free.
    #[must_use]
    pub fn new(service: &Service) -> Arc<Self> {
        Arc::new(Self {
            most: service.connections,
            most_of_one: service.connections_per_address,
            taken: AtomicUsize::new(0),
            of: DashMap::default(),
        })
    }

    /// A place for a connection from there, if there is one.
    #[must_use]
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let free = |taken: usize| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        // From here on dropping it gives back both.
        let place = Place { places: Arc::clone(self), address: address.to_canonical() };
        let mut held = self.of.entry(place.address).or_default();
        *held += 1;
        let too_many = *held > self.most_of_one;
        drop(held);
        (!too_many).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
        self.places.of.remove_if_mut(&self.address, |_, held| {
            *held -= 1;
            *held == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_from_each_address_and_come_back() {
        let service = Service { connections: 5, connections_per_address: 2, ..Service::default() };
        let places = Places::new(&service);
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let one = [places.take(address(1)), places.take(address(1))];
        assert!(one.iter().all(Option::is_some));
        assert!(places.take(address(1)).is_none());
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(places.take(mapped).is_none(), "the same address in another spelling");
        let others: Vec<_> = (2..5).map(|last| places.take(address(last)).unwrap()).collect();
        assert!(places.take(address(9)).is_none(), "all are taken");
        drop(others);
        drop(one);
        assert_eq!((places.taken.load(Ordering::Relaxed), places.of.len()), (0, 0));
        assert!(places.take(address(1)).is_some());
    }
}
