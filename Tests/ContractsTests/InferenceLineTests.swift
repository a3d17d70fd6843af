import Contracts
import Foundation
import Testing

@Suite struct InferenceLineTests {
    private func response(_ id: String?, _ data: [Float]?, size: Int? = nil) -> InferenceResponse {
        InferenceResponse(
            modelName: "Zoë \"Z\" /O\\Hara\n", modelVersion: "3", id: id,
            outputs: [
                InferenceOutput(
                    name: "output", datatype: "FP32", shape: [data?.count ?? 7, -1],
                    parameters: size.map { InferenceOutput.Parameters(binaryDataSize: $0) }, data: data)
            ])
    }

    @Test("an answer of a network written by hand has the bytes of the encoder")
    func bytes() throws {
        let data: [Float] = [
            0, -0.0, 1, -3, 0.1, 1.0 / 3, 1e-5, -2.5e-38, 1e7, 16_777_216, 1e16, 123_456.79, .greatestFiniteMagnitude,
            .leastNonzeroMagnitude,
        ]
        for response in [
            response(nil, data), response("", []), response("a\u{1}/\u{7F}", nil, size: 24),
            response("7", [0.5], size: 4),
        ] {
            #expect(try response.wireBytes() == WireJSON.encode(response))
        }
        #expect(throws: EncodingError.self) { _ = try response(nil, [.infinity]).wireBytes() }
    }
}
