import Contracts
import Crypto
import HTTPTypes
import Hummingbird
import ServiceKit

extension Request {
    /// The client's `Idempotency-Key` for this creation, nil when it sent none.
    /// - Throws: `ProblemError` 400 when it is not 1 to 200 printable ASCII characters, or is sent twice.
    func idempotencyKey(of caller: TenantCaller, for payload: some Encodable) throws -> IdempotencyKey? {
        let values = headers[values: .idempotencyKey]
        guard let key = values.first else { return nil }
        guard values.count == 1, (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw ProblemError.malformed("Idempotency-Key must be sent once, with 1 to 200 printable ASCII characters.")
        }
        // The payload as understood, not as spelt: white space and the order of fields make no other request.
        let digest = SHA256.hash(data: Array("\(method) \(uri.path)\n".utf8) + (try WireJSON.encode(payload)))
        return IdempotencyKey(subject: caller.subject, key: key, requestSHA256: Array(digest))
    }
}

extension HTTPField.Name {
    static let idempotencyKey = Self(HeaderName.idempotencyKey)!
}
