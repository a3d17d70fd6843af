/// Gives equal values the memory of the first of them. Of a million allocations most name the same few people, projects,
/// skills and labels: kept once, they take a fraction of the memory, and are in a cache when they are read.
struct ValuePool<Value: Hashable & Sendable>: Sendable {
    private var values: Set<Value> = []

    /// Of values more different than these few will come again.
    private static var maximumCount: Int { 1 << 16 }

    mutating func shared(_ value: Value) -> Value {
        guard values.count < Self.maximumCount else { return values.firstIndex(of: value).map { values[$0] } ?? value }
        return values.insert(value).memberAfterInsert
    }
}
