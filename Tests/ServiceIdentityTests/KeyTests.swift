import Basics
import Contracts
import Foundation
import Testing

@testable import ServiceIdentity

@Suite("Keys")
struct KeyTests {
    @Test("a private key survives its file")
    func roundTrip() throws {
        let key = ServiceKeyPair()
        #expect(try ServiceKeyPair(pem: key.pem).keyID == key.keyID)
    }

    @Test("a key that openssl wrote is read, and the id is RFC 8037's thumbprint of RFC 8032's first test key")
    func publishedKey() throws {
        // RFC 8037 appendix A.1 to A.3: the seed, wrapped in PKCS #8.
        let seed = try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let der: [UInt8] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20] + seed
        let pem = "-----BEGIN PRIVATE KEY-----\n\(Data(der).base64EncodedString())\n-----END PRIVATE KEY-----\n"

        let key = try ServiceKeyPair(pem: pem)

        #expect(key.keyID == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        #expect(key.publicJWK(issuer: .gateway).x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    }

    @Test(
        "a file that holds no Ed25519 key is refused without being quoted",
        arguments: [
            "", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----",
            // An X25519 key, and the label of another kind of key.
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----",
            "-----BEGIN SECRET KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END SECRET KEY-----",
        ])
    func notAKey(text: String) {
        let error = #expect(throws: IdentityError.self) { try ServiceKeyPair(pem: text) }
        #expect(error?.code == .invalidKey)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("a key set survives its file")
    func keySet() throws {
        let set = JSONWebKeySet(keys: [ServiceKeyPair().publicJWK(issuer: .mlTraining)])
        #expect(try JSONWebKeySet.load(contents: set.contents()).keys == set.keys)
    }

    @Test("a key set with a foreign kind of key, without issuer, or with one id twice is refused")
    func badKeySets() throws {
        let good = try JSONWebKeySet(keys: [ServiceKeyPair().publicJWK(issuer: .gateway)]).contents()
        let twice = ServiceKeyPair().publicJWK(issuer: .gateway)
        let bad = [
            "", "[]", #"{"keys":[{}]}"#, good.replacing("OKP", with: "RSA"), good.replacing("EdDSA", with: "HS256"),
            good.replacing("Ed25519", with: "X25519"), good.replacing(#""iss":"gateway","#, with: ""),
            good.replacing("gateway", with: "unknown"), try JSONWebKeySet(keys: [twice, twice]).contents(),
        ]
        for text in bad {
            #expect(throws: IdentityError.self, "\(text)") { try JSONWebKeySet.load(contents: text) }
        }
        #expect(throws: Never.self) { try JSONWebKeySet.load(contents: good) }
    }

    @Test("tokens carry their prefix, differ, and are stored as SHA-256")
    func tokens() {
        let first = RandomToken.make(prefix: "erm_ak_")
        let second = RandomToken.make(prefix: "erm_ak_")
        #expect(first.hasPrefix("erm_ak_"))
        #expect(first.dropFirst(7).utf8.count == 43)
        #expect(first != second)
        // FIPS 180-2, appendix B.1.
        #expect(
            RandomToken.digest("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
