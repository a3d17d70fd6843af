import HTTPTypes
import ServiceKit
import Testing

@testable import MLPrediction

@Suite struct AdmissionTests {
    @Test("requests beyond the limit are refused at once with Retry-After")
    func sheds() async throws {
        let admission = Admission(most: 2)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let (released, release) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    try await admission.admit {
                        start.yield()
                        for await _ in released { break }
                    }
                }
            }
            var arrivals = started.makeAsyncIterator()
            _ = await arrivals.next()
            _ = await arrivals.next()
            let error = await #expect(throws: ProblemError.self) { try await admission.admit {} }
            #expect(error?.status.code == 503 && error?.headers[.retryAfter] == "1")
            release.finish()
            try await group.waitForAll()
        }
        // Those that were refused, and those that failed, take no place.
        for _ in 0..<5 {
            await #expect(throws: CancellationError.self) { try await admission.admit { throw CancellationError() } }
        }
        #expect(try await admission.admit { 7 } == 7)
    }

    @Test("a request of many questions takes the places of many, and of all where it has more than there are")
    func places() async throws {
        #expect([0, 1, 100, 101, 10_000].map(Admission.places) == [0, 1, 1, 2, 100])
        let admission = Admission(most: 10)
        try await admission.admit(8) {
            #expect(throws: ProblemError.self) { try admission.requireRoom(for: 3) }
            await #expect(throws: ProblemError.self) { try await admission.admit(3) {} }
            _ = try await admission.admit(2) {
                #expect(throws: ProblemError.self) { try admission.requireRoom() }
            }
        }
        _ = try await admission.admit(100) {
            await #expect(throws: ProblemError.self) { try await admission.admit {} }
        }
        #expect(try await admission.admit(10) { 7 } == 7)
    }
}
