/// Values that never change, read through a plain pointer.
///
/// Reading an `Array` counts a reference up and down each time, and cores that count the same references spend their time
/// waiting for each other.
/// @unchecked Sendable: nothing writes to the memory after `init`.
final class FixedValues<Element: BitwiseCopyable>: @unchecked Sendable {
    /// A line of the processor's caches: elements of its size are one line each.
    private static var alignment: Int { 64 }

    let base: UnsafePointer<Element>
    let count: Int

    init(_ values: [Element]) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, values.count) * MemoryLayout<Element>.stride, alignment: Self.alignment)
        base = UnsafePointer(memory.initializeMemory(as: Element.self, from: values, count: values.count))
        count = values.count
    }

    deinit { UnsafeRawPointer(base).deallocate() }
}
