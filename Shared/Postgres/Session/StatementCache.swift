import OrderedCollections

/// Which statements are prepared on one connection, least recently used first to go.
///
/// Keyed by the schemas that unqualified names resolve in as well as by the text: a prepared statement keeps the
/// parameter types it was first analysed with, and under another `search_path` the same text may need others.
struct StatementCache {
    struct Key: Hashable {
        let namespace: String
        let text: String
    }

    let capacity: Int
    private var names: OrderedDictionary<Key, String> = [:]
    private var counter = 0
    /// Prepared at the server but no longer wanted.
    private(set) var evicted: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { names.count }

    /// The name of the prepared statement, which becomes the most recently used.
    mutating func name(for key: Key) -> String? {
        guard let index = names.index(forKey: key) else { return nil }
        let name = names.elements[index].value
        if index < names.count - 1 {
            names.remove(at: index)
            names[key] = name
        }
        return name
    }

    func contains(_ key: Key) -> Bool { names[key] != nil }

    /// A name never used on this connection.
    mutating func makeName() -> String {
        counter += 1
        return "erm_\(counter)"
    }

    mutating func insert(_ name: String, for key: Key) {
        names[key] = name
        if names.count > capacity { evicted.append(names.removeFirst().value) }
    }

    mutating func remove(_ key: Key) {
        if let name = names.removeValue(forKey: key) { evicted.append(name) }
    }

    /// Takes the names to deallocate at the server.
    mutating func takeEvicted() -> [String] {
        defer { evicted = [] }
        return evicted
    }

    /// The server has forgotten all of them.
    mutating func forgetAll() {
        names = [:]
        evicted = []
    }
}
