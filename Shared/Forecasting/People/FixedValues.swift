/// Values that never change, read through a plain pointer.
///
/// Reading an `Array` counts a reference up and down each time, and cores that count the same references spend their time
/// waiting for each other.
/// @unchecked Sendable: nothing writes to the memory after `init`.
final class FixedValues<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafePointer<Element>
    let count: Int

    init(_ values: [Element]) {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, values.count))
        memory.initialize(from: values, count: values.count)
        base = UnsafePointer(memory)
        count = values.count
    }

    deinit { base.deallocate() }
}
