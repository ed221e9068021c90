//! Who waits for whom among services, as numbers: finding the circles, in
//! which nobody could ever begin. It needs no memory but what it is lent, and
//! its time is that of one look at each service and each need.

/// One service waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The service that waits.
    pub from: u32,
    /// The one it waits for.
    pub to: u32,
}

/// What is noted of a service meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Node {
    mark: Mark,
    /// The next of its edges to look at.
    next: u32,
    /// Who led here, on the way that is being walked.
    above: u32,
    /// Where that way goes on.
    below: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mark {
    /// Nobody has been here.
    #[default]
    New,
    /// The way that is being walked leads through it.
    Way,
    /// All that it waits for has been looked at.
    Done,
    /// The way leads through it, and it is in a circle that was told.
    Told,
}

/// A circle: from a service over what it waits for back to itself.
#[derive(Clone, Copy, Debug)]
pub struct Circle<'a> {
    nodes: &'a [Node],
    first: u32,
    last: u32,
}

impl Circle<'_> {
    /// The services in it, each once, each before the one it waits for; the
    /// last one waits for the first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let follow = move |at: &u32| (*at != self.last).then(|| self.nodes[*at as usize].below);
        core::iter::successors(Some(self.first), follow)
    }
}

/// Calls `found` with circles among `edges`, which are in order. `nodes` has a
/// place for each service; edges from or to others are none. Of circles that
/// have a service in common only one is told, and another one when that has
/// been cut.
pub fn circles(edges: &[Edge], nodes: &mut [Node], found: &mut dyn FnMut(Circle<'_>)) {
    let count = nodes.len() as u32;
    nodes.fill(Node::default());
    for start in 0..count {
        if nodes[start as usize].mark == Mark::New {
            walk(edges, nodes, start, found);
        }
    }
}

/// Walks all ways that begin at `start`, deepest first.
fn walk(edges: &[Edge], nodes: &mut [Node], start: u32, found: &mut dyn FnMut(Circle<'_>)) {
    enter(edges, nodes, start, start);
    let mut at = start;
    loop {
        let here = &mut nodes[at as usize];
        let edge = edges.get(here.next as usize).filter(|edge| edge.from == at);
        let Some(&Edge { to, .. }) = edge else {
            here.mark = Mark::Done;
            let above = here.above;
            if above == at {
                return;
            }
            at = above;
            continue;
        };
        here.next += 1;
        match nodes.get(to as usize).map(|there| there.mark) {
            Some(Mark::New) => {
                nodes[at as usize].below = to;
                enter(edges, nodes, to, at);
                at = to;
            }
            Some(Mark::Way | Mark::Told) => {
                let circle = Circle { nodes, first: to, last: at };
                if circle.iter().all(|one| nodes[one as usize].mark == Mark::Way) {
                    found(circle);
                    tell(nodes, to, at);
                }
            }
            Some(Mark::Done) | None => {}
        }
    }
}

fn enter(edges: &[Edge], nodes: &mut [Node], one: u32, above: u32) {
    let next = edges.partition_point(|edge| edge.from < one) as u32;
    // Only the first one has nobody above, which is said by itself.
    nodes[one as usize] = Node { mark: Mark::Way, next, above, below: one };
}

fn tell(nodes: &mut [Node], first: u32, last: u32) {
    let mut at = first;
    loop {
        let node = &mut nodes[at as usize];
        node.mark = Mark::Told;
        if at == last {
            return;
        }
        at = node.below;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// All circles that are told.
    fn told(count: usize, edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut edges: Vec<Edge> = edges.iter().map(|&(from, to)| Edge { from, to }).collect();
        edges.sort_unstable();
        let mut all = Vec::new();
        let mut nodes = vec![Node::default(); count];
        circles(&edges, &mut nodes, &mut |circle| all.push(circle.iter().collect()));
        all
    }

    #[test]
    fn small_ones() {
        assert_eq!(told(0, &[]), [[0_u32; 0]; 0]);
        assert_eq!(told(3, &[(0, 1), (1, 2), (0, 2)]), [[0_u32; 0]; 0]);
        assert_eq!(told(1, &[(0, 0)]), [[0]]);
        assert_eq!(told(2, &[(0, 1), (1, 0)]), [[0, 1]]);
        assert_eq!(told(4, &[(0, 1), (1, 2), (2, 1), (2, 3)]), [[1, 2]]);
        assert_eq!(told(5, &[(0, 1), (1, 0), (3, 4), (4, 3)]), [[0, 1], [3, 4]]);
        // Two that share a service: one is told.
        assert_eq!(told(3, &[(0, 1), (1, 0), (1, 2), (2, 1)]), [[0, 1]]);
        // Nobody there.
        assert_eq!(told(1, &[(0, 7)]), [[0_u32; 0]; 0]);
    }

    /// The services that are in a circle, by asking for each where one gets.
    fn in_circles(count: usize, edges: &[(u32, u32)]) -> Vec<u32> {
        let reaches = |start: u32| {
            let mut seen = vec![false; count];
            let mut left = vec![start];
            while let Some(at) = left.pop() {
                for &(_, to) in edges.iter().filter(|(from, _)| *from == at) {
                    if to == start {
                        return true;
                    }
                    if !core::mem::replace(&mut seen[to as usize], true) {
                        left.push(to);
                    }
                }
            }
            false
        };
        (0..count as u32).filter(|one| reaches(*one)).collect()
    }

    fn random(seed: &mut u64, below: u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed % below
    }

    /// What is told is a circle, none is told twice, and where there is one,
    /// one is told; when what is told is cut, again and again, none is left.
    #[test]
    fn generated_ones() {
        let mut seed = 5;
        for round in 0..3000 {
            let count = 1 + random(&mut seed, 12);
            let many = random(&mut seed, 3 * count);
            let mut edges: Vec<(u32, u32)> = (0..many)
                .map(|_| (random(&mut seed, count) as u32, random(&mut seed, count) as u32))
                .collect();
            edges.sort_unstable();
            edges.dedup();
            loop {
                let circles = told(count as usize, &edges);
                let inside = in_circles(count as usize, &edges);
                assert_eq!(circles.is_empty(), inside.is_empty(), "{round}: {edges:?}");
                let mut all: Vec<u32> = circles.concat();
                all.sort_unstable();
                assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{circles:?}");
                for circle in &circles {
                    let next = circle.iter().cycle().skip(1);
                    assert!(circle.iter().zip(next).all(|(a, b)| edges.contains(&(*a, *b))));
                    let last = (*circle.last().unwrap(), circle[0]);
                    edges.retain(|edge| *edge != last);
                }
                if circles.is_empty() {
                    break;
                }
            }
        }
    }

    /// Ten thousand services: a chain, which no recursion would survive, layers
    /// in which each waits for ten, and the same with circles put in.
    #[test]
    fn large_ones() {
        const COUNT: u32 = 10_000;
        let chain: Vec<_> = (1..COUNT).map(|one| (one, one - 1)).collect();
        assert_eq!(told(COUNT as usize, &chain).len(), 0);
        let mut ring = chain;
        ring.push((0, COUNT - 1));
        assert_eq!(told(COUNT as usize, &ring)[0].len(), COUNT as usize);
        let mut seed = 7;
        let mut layers: Vec<_> = (1000..COUNT)
            .flat_map(|one| [one; 10])
            .map(|one| (one, one / 1000 * 1000 - 1 - random(&mut seed, 1000) as u32))
            .collect();
        assert_eq!(told(COUNT as usize, &layers).len(), 0);
        for one in (0..100).map(|one| 50 * one) {
            layers.push((one, one + 5));
            layers.push((one + 5, one));
        }
        assert!(!told(COUNT as usize, &layers).is_empty());
    }
}
