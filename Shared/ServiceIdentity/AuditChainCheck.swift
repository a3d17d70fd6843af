import Basics
public import Contracts
import Crypto
import Foundation

/// Checks an exported audit chain, and the personal values that were hashed by their digests, without a database: feed it every line in
/// its order, then the heads that were kept; ``finish()`` last.
public struct AuditChainCheck: Sendable {
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// The entry concerned; nil for the file as a whole.
        public let seq: Int?
        public let description: String
    }

    /// A personal value of an entry.
    private struct Place: Hashable {
        let seq: Int
        let name: String
    }

    private let verifier: StatementVerifier
    /// By entry.
    private var hashes: [Int: String] = [:]
    private var last: (seq: Int, hash: String) = (0, "")
    private var end: AuditExportEnd?
    /// The export's own heads, which come before its end.
    private var exportedHeads = 0
    /// Values that the export does not have and that no entry has called erased so far.
    private var missing: Set<Place> = []
    public private(set) var findings: [Finding] = []
    public private(set) var headCount = 0
    /// Up to this entry genuine heads confirm the chain.
    public private(set) var confirmedSeq = 0
    /// Heads signed by keys that are not among those given.
    public private(set) var headsOfUnknownKeys = 0
    /// Personal values that are those whose digests were hashed.
    public private(set) var valueCount = 0
    /// Personal values that a later entry calls erased.
    public private(set) var erasedValues = 0

    public init(keys: JSONWebKeySet) { verifier = StatementVerifier(keys: keys) }

    public var entryCount: Int { hashes.count }

    public mutating func take(_ line: AuditExportLine) {
        switch line {
        case .entry(let entry): take(entry)
        case .head(let head): take(head)
        case .end(let end):
            self.end = end
            exportedHeads = headCount
        }
    }

    /// What there is to say of the export as a whole.
    public mutating func finish() {
        guard let end else {
            return find(
                nil, "the export was cut off, or is of a release without an end of exports: it has no last line")
        }
        if end.entries != hashes.count || end.heads != exportedHeads {
            find(
                nil,
                "the export had \(end.entries) entries and \(end.heads) heads, and \(hashes.count) and \(exportedHeads) are there"
            )
        }
        for place in missing.sorted(by: { ($0.seq, $0.name) < ($1.seq, $1.name) }) {
            find(place.seq, "the value \(place.name) of entry \(place.seq) is gone, and no entry calls it erased")
        }
    }

    private mutating func take(_ entry: AuditExportEntry) {
        let next = last.seq + 1
        if entry.seq != next {
            find(
                next,
                entry.seq > next + 1
                    ? "entries \(next) to \(entry.seq - 1) are missing"
                    : "entry \(next) is missing: entry \(entry.seq) follows")
        } else if entry.previousHash != last.hash {
            find(entry.seq, "entry \(entry.seq) does not continue the entry before it")
        }
        let text = try? WireJSON.decode(JSONValue.self, from: Array(entry.canonical.utf8))
        if case .array(let columns)? = text, columns.first == .integer(entry.seq) {
            if columns.count > Self.details { takeValues(of: entry, columns[Self.details]) }
        } else {
            find(entry.seq, "the text of entry \(entry.seq) is that of another entry")
        }
        if Self.hash(previous: entry.previousHash, canonical: entry.canonical) != entry.hash {
            find(entry.seq, "the hash of entry \(entry.seq) is not that of its text")
        }
        hashes[entry.seq] = entry.hash
        last = (entry.seq, entry.hash)
    }

    /// Where an entry's text has its details.
    private static let details = 6

    private mutating func takeValues(of entry: AuditExportEntry, _ details: JSONValue) {
        let (sealed, values) = (Self.members(details["sealed"]), entry.personal ?? [:])
        for (place, digest) in sealed.sorted(by: { $0.key < $1.key }) {
            if let value = values[place], value.salt != nil || value.value != PersonalValue.erased {
                if value.digest.map(JSONValue.string) == digest {
                    valueCount += 1
                } else {
                    find(entry.seq, "the value \(place) of entry \(entry.seq) is not the one that was hashed")
                }
            } else {
                missing.insert(Place(seq: entry.seq, name: place))
            }
        }
        for place in values.keys.sorted() where sealed[place] == nil {
            find(entry.seq, "the value \(place) of entry \(entry.seq) was never hashed")
        }
        for (place, entries) in Self.members(details["erased"]) {
            guard case .array(let entries) = entries else { continue }
            for case .integer(let seq) in entries where missing.remove(Place(seq: seq, name: place)) != nil {
                erasedValues += 1
            }
        }
    }

    private static func members(_ value: JSONValue?) -> [String: JSONValue] {
        if case .object(let members)? = value { members } else { [:] }
    }

    private mutating func take(_ head: AuditHead) {
        headCount += 1
        switch verifier.check(head) {
        case .forged: return find(head.seq, "the signature of the head at entry \(head.seq) is forged")
        case .unknownKey: headsOfUnknownKeys += 1
        case .genuine:
            if hashes[head.seq] == head.hash { confirmedSeq = max(confirmedSeq, head.seq) }
        }
        if head.seq > last.seq {
            find(last.seq + 1, "entries after \(last.seq) are cut off: there is a head at entry \(head.seq)")
        } else if hashes[head.seq] != head.hash {
            find(head.seq, "an entry up to \(head.seq) was changed after its head had been signed")
        }
    }

    private mutating func find(_ seq: Int?, _ description: String) {
        // A chain that is wrong from somewhere on would be found wrong a million times.
        if findings.count < 100 { findings.append(Finding(seq: seq, description: description)) }
    }

    private static func hash(previous: String, canonical: String) -> String? {
        guard let bytes = [UInt8](hex: previous) else { return nil }
        return SHA256.hash(data: bytes + Array(canonical.utf8)).hex
    }
}
