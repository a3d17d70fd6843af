import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Bodies held in memory")
struct ResponseBodyTests {
    /// Writes down what it is given.
    private struct Recorder: ResponseBodyWriter {
        final class Pieces: Sendable {
            let all = Mutex<[Int]>([])
            let isFinished = Mutex(false)
        }

        let pieces: Pieces

        mutating func write(_ buffer: ByteBuffer) async throws {
            pieces.all.withLock { $0.append(buffer.readableBytes) }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws { pieces.isFinished.withLock { $0 = true } }
    }

    private func pieces(_ count: Int) async throws -> [Int] {
        let body = ResponseBody.inPieces(ByteBuffer(repeating: 0x61, count: count), of: 1000)
        #expect(body.contentLength == count)
        let pieces = Recorder.Pieces()
        try await body.write(Recorder(pieces: pieces))
        #expect(pieces.isFinished.withLock { $0 })
        return pieces.all.withLock { $0 }
    }

    @Test("a long body is handed over piece by piece, a short one at once")
    func inPieces() async throws {
        #expect(try await pieces(2500) == [1000, 1000, 500])
        #expect(try await pieces(2000) == [1000, 1000])
        #expect(try await pieces(1000) == [1000])
        #expect(try await pieces(3) == [3])
    }
}
