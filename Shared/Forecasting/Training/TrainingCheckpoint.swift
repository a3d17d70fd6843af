/// How far a run has come.
struct TrainingCheckpoint {
    private static let magic: UInt32 = 0x4B50_4843
    let fingerprint: UInt64
    /// Per variant in order, the network trainer's own checkpoint.
    var networks: [Int: [UInt8]] = [:]

    init(fingerprint: UInt64) { self.fingerprint = fingerprint }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(fingerprint)
        writer.write(networks.sorted { $0.key < $1.key }) { writer, entry in
            writer.write(Int32(entry.key))
            writer.write(entry.value)
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8], fingerprint: UInt64) throws(TrainingError) {
        var found: [Int: [UInt8]] = [:]
        do {
            var reader = ByteReader(bytes)
            guard try reader.integer(UInt32.self) == Self.magic, try reader.integer(UInt64.self) == fingerprint else {
                throw ArtifactError(description: "other run")
            }
            for (key, value) in try reader.array(
                elementSize: 8, { (Int(try $0.integer(Int32.self)), try $0.byteArray()) })
            {
                found[key] = value
            }
        } catch {
            throw TrainingError(.badCheckpoint, "The checkpoint is damaged or of another training run.")
        }
        self.fingerprint = fingerprint
        networks = found
    }
}
