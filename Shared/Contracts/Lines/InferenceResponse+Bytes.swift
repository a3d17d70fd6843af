// A row is computed in less time than the encoder takes to begin.

extension InferenceResponse: WireLine {
    public func write(to bytes: inout [UInt8]) throws {
        try LineWriter.write(self, to: &bytes) { writer in
            writer.object { $0.fields(of: self) }
            return true
        }
    }

    /// The bytes that `WireJSON` gives.
    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    public func wireBytes() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try write(to: &bytes)
        bytes.removeLast()
        return bytes
    }
}

extension LineWriter {
    fileprivate mutating func fields(of response: InferenceResponse) {
        field("id", response.id)
        field("model_name", response.modelName)
        field("model_version", response.modelVersion)
        field("outputs", response.outputs) { writer, output in
            writer.field("data", output.data)
            writer.field("datatype", output.datatype)
            writer.field("name", output.name)
            if let parameters = output.parameters {
                writer.field("parameters") { $0.field("binary_data_size", parameters.binaryDataSize) }
            }
            writer.field("shape", output.shape)
        }
    }
}
