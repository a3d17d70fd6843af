import HTTPTypes
import Testing

@testable import Gateway

@Suite("Client addresses")
struct ClientAddressTests {
    @Test(
        "an address is read however a hop writes it",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:443", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ])
    func read(text: String, address: String) throws {
        #expect(try #require(ClientAddress(hop: text)).description == address)
    }

    @Test("a bad address is refused", arguments: ["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "a b", "[::1"])
    func unreadable(text: String) { #expect(ClientAddress(hop: text) == nil) }

    @Test("one client has all addresses of its /64, and so one count")
    func networks() throws {
        let networks = try ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1", "192.0.2.1"].map {
            try #require(ClientAddress($0)).network
        }
        #expect(networks == ["2001:db8::/64", "2001:db8::/64", "2001:db8:0:1::/64", "192.0.2.1"])
    }

    @Test(
        "a range contains what begins like it",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false), ("10.0.0.128/25", "10.0.0.127", false), ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ])
    func ranges(range: String, address: String, isInside: Bool) throws {
        let (range, address) = (try #require(AddressRange(range)), try #require(ClientAddress(address)))
        #expect(range.contains(address) == isInside)
    }

    @Test(
        "an invalid range is refused", arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "a/8", ""])
    func noRange(text: String) { #expect(AddressRange(text) == nil) }
}

@Suite("Trusted proxies")
struct TrustedProxiesTests {
    private func origin(
        _ list: String, _ headers: [(String, String)], field: TrustedProxies.Field = .xForwardedFor,
        peer: String = "10.0.0.1"
    ) throws -> TrustedProxies.Origin {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return try #require(TrustedProxies(list: list, field: field)).origin(peer: ClientAddress(peer), fields)
    }

    @Test("without trusted proxies nothing that a request says of its origin is believed")
    func nobody() throws {
        let headers = [
            ("X-Forwarded-For", "192.0.2.9"), ("Forwarded", "for=192.0.2.9"), ("X-Forwarded-Proto", "https"),
        ]
        #expect(try origin("", headers).address.description == "10.0.0.1")
        #expect(try origin("10.0.0.2", headers).address.description == "10.0.0.1")
        #expect(try origin("10.0.0.2", headers).scheme == "http")
    }

    @Test(
        "the client is the nearest hop that is no proxy of ours, whatever stands before it",
        arguments: [
            ("192.0.2.9", "192.0.2.9"), ("1.1.1.1, 192.0.2.9", "192.0.2.9"),
            ("1.1.1.1,192.0.2.9 , 10.0.0.7", "192.0.2.9"), ("10.0.0.8, 10.0.0.7", "10.0.0.8"),
            ("1.1.1.1, rubbish, 10.0.0.7", "10.0.0.7"), ("rubbish", "10.0.0.1"), ("", "10.0.0.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
        ])
    func nearest(field: String, client: String) throws {
        #expect(try origin("10.0.0.0/8", [("X-Forwarded-For", field)]).address.description == client)
    }

    @Test("several fields are one list")
    func severalFields() throws {
        let headers = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "192.0.2.9")]
        #expect(try origin("10.0.0.0/8", headers).address.description == "192.0.2.9")
    }

    @Test("only the field that the proxies write is read: they pass on the other as the client sent it")
    func oneField() throws {
        let headers = [("X-Forwarded-For", "192.0.2.9"), ("Forwarded", "for=1.1.1.1;proto=https")]
        #expect(
            try origin("10.0.0.0/8", headers) == .init(address: #require(ClientAddress("192.0.2.9")), scheme: "http"))
        let forwarded = try origin("10.0.0.0/8", headers, field: .forwarded)
        #expect(forwarded == .init(address: try #require(ClientAddress("1.1.1.1")), scheme: "https"))
    }

    @Test("Forwarded is read with its quotes, ports and other parameters")
    func forwarded() throws {
        let field = "for=1.1.1.1, for=\"[2001:db8::1]:443\";host=erm.example; Proto=https, FOR=10.0.0.7;proto=http"
        let origin = try origin("10.0.0.0/8", [("Forwarded", field)], field: .forwarded)
        #expect(origin.address.description == "2001:db8::1")
        #expect(origin.scheme == "https")
    }

    @Test("a list that cannot be meant so is refused", arguments: ["10.0.0.0/8,proxy", "10.0.0.0/99"])
    func refused(list: String) { #expect(TrustedProxies(list: list) == nil) }
}
