/// Things by their keys, as many as `maximumCount` allows: what is not used while half as many others are is dropped.
///
/// Two generations instead of a list in the order of use: to drop costs nothing, and to use what is young changes nothing.
public struct RecentEntries<Key: Hashable & Sendable, Element: Sendable>: Sendable {
    private var young: [Key: Element] = [:]
    private var old: [Key: Element] = [:]
    private let generation: Int

    public init(maximumCount: Int) { generation = max(1, maximumCount / 2) }

    public var count: Int { young.count + old.count }

    /// Without counting as a use.
    public subscript(key: Key) -> Element? { young[key] ?? old[key] }

    public mutating func use(_ key: Key) -> Element? {
        if let element = young[key] { return element }
        guard let element = old[key] else { return nil }
        insert(element, for: key)
        return element
    }

    public mutating func insert(_ element: Element, for key: Key) {
        if young.count >= generation, young[key] == nil {
            old = young
            young = [:]
        }
        old[key] = nil
        young[key] = element
    }

    /// Changes what is there; what is not stays away.
    public mutating func update(_ key: Key, _ change: (inout Element) -> Void) {
        if young[key] != nil {
            change(&young[key]!)
        } else if old[key] != nil {
            change(&old[key]!)
        }
    }

    public mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    public mutating func removeAll(where isMeant: (Key) -> Bool) {
        for key in young.keys where isMeant(key) { young[key] = nil }
        for key in old.keys where isMeant(key) { old[key] = nil }
    }

    public mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
