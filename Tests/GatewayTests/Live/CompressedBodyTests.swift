import Contracts
import Foundation
import HTTPClient
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite("Compressed bodies, over live sockets", .timeLimit(.minutes(3)))
struct CompressedBodyTests {
    /// `{}` by gzip.
    private static let compressed: [UInt8] = [
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xab, 0xae, 0x05, 0, 0x43, 0xbf, 0xa6, 0xa3, 0x02, 0, 0, 0,
    ]

    @Test("every route that takes a body refuses a compressed one, and one that is only said to be, with 415")
    func everyRoute() async throws {
        let table = try RouteFile.load(
            ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml").path)
        try await RunningGateway.with { gateway in
            var asked = 0
            for route in table.routes {
                let path = route.template.replacing("{", with: "").replacing("}", with: "")
                for method in ["POST", "PUT", "PATCH"] where route.methods.keys.contains(method) {
                    for (coding, body) in [("gzip", Self.compressed), ("identity, GZIP", Array("{}".utf8))] {
                        let answer = try await Self.send(gateway, method, path, coding, .bytes(body))
                        #expect(
                            answer.status == 415 && answer.code == .unsupportedMediaType, "\(method) \(path) \(coding)")
                        asked += 1
                    }
                }
            }
            #expect(asked > 80, "routes were asked: \(asked)")
        }
    }

    @Test("in pieces too, and a body that says that it is as it stands is taken")
    func framing() async throws {
        try await RunningGateway.with { gateway in
            let pieces = HTTPClientRequestBody.stream(
                length: nil,
                AsyncThrowingStream { continuation in
                    continuation.yield(Self.compressed)
                    continuation.finish()
                })
            let answer = try await Self.send(gateway, "POST", "/api/v1/auth/refresh", "gzip", pieces)
            #expect(answer.status == 415)
            let plain = try await Self.send(
                gateway, "POST", "/api/v1/auth/refresh", "Identity", .bytes(Array(#"{"refreshToken": "x"}"#.utf8)))
            #expect(plain.status == 401)
        }
    }

    private static func send(
        _ gateway: RunningGateway, _ method: String, _ path: String, _ coding: String, _ body: HTTPClientRequestBody
    ) async throws -> Reply {
        let request = HTTPClientRequest(
            method: method, url: gateway.urls[0] + path,
            headers: [("Content-Type", "application/json"), ("Content-Encoding", coding)], body: body)
        let (response, bytes) = try await gateway.client.execute(request, collectingUpTo: 1 << 20)
        return Reply(status: response.status, headers: response.headers, body: bytes)
    }
}
