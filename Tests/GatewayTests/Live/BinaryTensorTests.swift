import HTTPClient
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("Binary tensor data through the proxy, over live sockets", .timeLimit(.minutes(3)))
struct BinaryTensorTests {
    @Test("bytes of every value and the header that says where they begin go through both ways, unchanged")
    func bothWays() async throws {
        let name = "Inference-Header-Content-Length"
        let header = HTTPField.Name(name)!
        let sent = Array("{}".utf8) + (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 / 256) }
        let received = Mutex<(bytes: [UInt8], length: String?, type: String?)>(([], nil, nil))
        try await ProxyBench.withUpstream { router in
            router.post("/v2/models/m/infer") { request, _ in
                let bytes = Array(try await request.body.collect(upTo: 1 << 20).readableBytesView)
                received.withLock { $0 = (bytes, request.headers[header], request.headers[.contentType]) }
                return Response(
                    status: .ok, headers: [.contentType: "application/octet-stream", header: "7"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes.reversed())))
            }
        } _: { port in
            let route = try ProxyBench.route("/v2/models/{model}/infer", "POST")
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let (response, bytes) = try await bench.client.execute(
                    HTTPClientRequest(
                        method: "POST", url: bench.url + "/v2/models/m/infer",
                        headers: [(name, "2"), ("Content-Type", "application/octet-stream")], body: .bytes(sent)),
                    collectingUpTo: 1 << 20)
                #expect(response.status == 200 && bytes == sent.reversed())
                #expect(response[name] == "7" && response["Content-Type"] == "application/octet-stream")
            }
        }
        let seen = received.withLock { $0 }
        #expect(seen.bytes == sent && seen.length == "2" && seen.type == "application/octet-stream")
    }
}
