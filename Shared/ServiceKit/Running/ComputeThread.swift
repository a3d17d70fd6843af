import Basics

/// Runs long computations on a thread of their own, so that minutes of arithmetic never hold a thread of Swift's
/// cooperative pool, which has only as many as there are cores.
public enum ComputeThread {
    /// - Parameters:
    ///   - name: of the thread, as the system's tools show it.
    ///   - isBackground: whether it stands back for other threads, as ``BackgroundWork`` does.
    /// - Throws: what `body` throws. A cancelled caller still waits: `body` has to look for cancellation itself.
    public static func run<Value: Sendable>(
        named name: String, isBackground: Bool = false, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard isBackground else { return try await SystemThread.run(named: name) { () throws -> Value in try body() } }
        return try await BackgroundWork.leaving {
            try await SystemThread.run(named: name, niceness: BackgroundWork.niceness) {
                () throws -> Value in try body()
            }
        }
    }
}

/// Takes in values one by one and works on many at a time, on a thread of its own: for work that may wait for a disk.
///
/// Adding a value waits while a batch is worked on, so that memory holds at most one batch.
public struct ComputeBatches<Element: Sendable> {
    private let name: String
    private let size: Int
    private let work: @Sendable ([Element]) throws -> Void
    private var batch: [Element] = []

    /// - Parameters:
    ///   - name: of the threads.
    ///   - size: how many values make a batch.
    public init(named name: String, of size: Int, _ work: @escaping @Sendable ([Element]) throws -> Void) {
        self.name = name
        self.size = size
        self.work = work
    }

    /// - Throws: what the work throws.
    public mutating func add(_ element: Element) async throws {
        batch.append(element)
        if batch.count >= size { try await finish() }
    }

    /// Works on what has been added since the last full batch.
    /// - Throws: what the work throws.
    public mutating func finish() async throws {
        guard !batch.isEmpty else { return }
        let (full, work) = (batch, work)
        batch = []
        try await ComputeThread.run(named: name) { try work(full) }
    }
}
