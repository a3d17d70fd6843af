import Basics
import Contracts
import Foundation
import Testing

@Suite("Wire values")
struct WireTests {
    @Test(
        "a moment that does not exist is refused, not moved to another",
        arguments: [
            "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "0000-01-01T00:00:00Z",
            "2026-01-01T12:75:00Z", "2026-01-01T12:00:00ZZ", "2026-01-01T12:00:00Z ", "2026-01-01T12:00:00+02:00x",
            "2026-01-01T12:00:00+24:00", "2026-01-01T12:00:00+02:60",
            "300000-01-01T00:00:00Z", "1000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01", "2026-01-01T12:00:00.Z", "2026-01-01T12:00:00,5Z", "2026-01-01T12:00:00.5",
            "2026-01-01T12:00:00.-5Z", "2026-01-01T12:00:00+2:00", "2026-01-01T12:00:00+02:0", "2026-01-01T12:00:00+",
            "2026-01-01T12:00:00+02:", "2026-01-01 12:00:00Z", "2026-01-01T12:00:00zz", "2016-12-31T23:59:61Z",
            "2016-12-30T23:59:60Z", "2016-12-31T23:58:60Z", "2016-12-31T23:59:60+01:00", "9999-12-31T23:59:60Z",
            "2026-01-01T12:00:00.1234567890123456789012Z",
        ])
    func impossibleMoments(text: String) {
        #expect(WireJSON.date(text) == nil)
        #expect(WireJSON.date("2026-02-28T23:59:59.999+02:00") != nil)
    }

    @Test(
        "a time is read as RFC 3339 allows it: in small letters, and with a leap second at a month's end",
        arguments: [
            ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"),
            ("2026-01-31t14:00:00.5+02:00", "2026-01-31T12:00:00.500Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
            ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000Z"),
            ("2015-07-01T01:59:60.25+02:00", "2015-07-01T00:00:00.250Z"),
        ])
    func permittedSpellings(text: String, meaning: String) throws {
        #expect(WireJSON.timestamp(try #require(WireJSON.date(text))) == meaning)
    }

    @Test("bytes survive base64url, in one spelling only")
    func base64URL() {
        // RFC 4648 §10, without padding.
        let vectors = [
            "": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE", "foobar": "Zm9vYmFy",
        ]
        for (plain, coded) in vectors {
            #expect(Base64URL.encode(Array(plain.utf8)) == coded)
            #expect(Base64URL.decode(coded) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for bad in ["A", "Zh", "Zg==", "+/8", "Zg\n", "é"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
        let all = (0...255).map { UInt8($0) }
        #expect(Base64URL.decode(Base64URL.encode(all)) == all)
    }

    @Test("a time is written in UTC with milliseconds and comes back the same")
    func timestamps() throws {
        let date = Date(timeIntervalSince1970: 1_769_860_800.123)
        #expect(WireJSON.timestamp(date) == "2026-01-31T12:00:00.123Z")
        #expect(
            WireJSON.timestamp(try #require(WireJSON.date("2026-01-31T12:00:00.123Z"))) == "2026-01-31T12:00:00.123Z")
        #expect(WireJSON.date("2026-01-31T14:00:00+02:00") == WireJSON.date("2026-01-31T12:00:00Z"))
        for bad in ["", "2026-01-31", "2026-13-01T00:00:00Z", "yesterday", "2026-01-31T12:00:00"] {
            #expect(WireJSON.date(bad) == nil, "\(bad)")
        }
    }

    @Test("the id of the logged-in user is written as all ids are")
    func principalID() throws {
        let id = UserID()
        let principal = CurrentPrincipal(
            kind: "user", id: id.rawValue, email: nil, name: "Mia", tenant: nil, timeZone: "Europe/Berlin",
            roles: ["user"], permissions: [])
        let bytes = try WireJSON.encode(principal)

        #expect(String(decoding: bytes, as: UTF8.self).contains("\"id\":\"\(id)\""))
        #expect(try WireJSON.decode(CurrentPrincipal.self, from: bytes).id == id.rawValue)
        #expect(try WireJSON.decode(CurrentPrincipal.self, from: bytes).timeZone == "Europe/Berlin")
    }

    @Test("a field that cannot be empty may be left out of a PATCH, but not set to null")
    func nonNull() throws {
        let nothing = try WireJSON.decode(UpdateRoleRequest.self, from: "{}".utf8)
        let name = try WireJSON.decode(UpdateRoleRequest.self, from: #"{"name":"x"}"#.utf8)

        #expect(nothing.name == nil && nothing.permissions == nil)
        #expect(name.name == "x")
        #expect(try WireJSON.encode(name) == Array(#"{"name":"x"}"#.utf8))
        #expect(throws: DecodingError.self) {
            try WireJSON.decode(UpdateRoleRequest.self, from: #"{"name":null}"#.utf8)
        }
    }

    @Test("days before 1582 are of the Gregorian calendar too, as civil dates and Postgres have them")
    func earlyTimes() throws {
        for days in stride(from: -719_162, through: 0, by: 17) {
            let day = CivilDate(daysSinceEpoch: days)
            let written = WireJSON.timestamp(day.startOfDay.addingTimeInterval(3600))
            try #require(written == "\(day)T01:00:00.000Z")
            try #require(WireJSON.date(written) == day.startOfDay.addingTimeInterval(3600))
        }
        // SELECT extract(epoch FROM …) says so.
        #expect(WireJSON.date("0001-01-01T00:00:00Z")?.timeIntervalSince1970 == -62_135_596_800)
        #expect(WireJSON.date("1000-03-01T00:00:00Z")?.timeIntervalSince1970 == -30_605_126_400)
        #expect(WireJSON.date("1582-10-10T00:00:00Z")?.timeIntervalSince1970 == -12_219_724_800)
        #expect(WireJSON.timestamp(.distantPast) == "0001-01-01T00:00:00.000Z")
        #expect(WireJSON.timestamp(Date(timeIntervalSince1970: -1e12)) == "0001-01-01T00:00:00.000Z")
        #expect(CivilDate(Date(timeIntervalSince1970: .nan)).description == "0001-01-01")
        #expect(WireJSON.timestamp(Date(timeIntervalSince1970: .nan)) == "0001-01-01T00:00:00.000Z")
        #expect(WireJSON.timestamp(Date(timeIntervalSince1970: 1e12)) == "9999-12-31T23:59:59.999Z")
    }

    @Test("later times are read and written as Foundation does")
    func laterTimes() throws {
        var random = SeededGenerator(seed: 1)
        let precise = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for index in 0..<5_000 {
            // Of the years 1600 to 9998, or 1970 to 2223: an offset leads out of 9999.
            let range = index % 2 == 0 ? -11_676_096_000_000...253_370_764_799_998 : 0...8_000_000_000_000
            let milliseconds = Double(Int.random(in: range, using: &random))
            let fraction = Double.random(in: -0.4...0.4, using: &random)
            let written = WireJSON.timestamp(Date(timeIntervalSince1970: (milliseconds + fraction) / 1000))
            // Foundation drops the millisecond of some of the later ones.
            if milliseconds < 8_000_000_000_000 {
                try #require(
                    written == Date(timeIntervalSince1970: milliseconds / 1000 + 0.000_01).formatted(precise),
                    "\(milliseconds + fraction)")
            }
            let read = try #require(WireJSON.date(written), "\(written)")
            try #require((read.timeIntervalSince1970 * 1000).rounded() == milliseconds, "\(written)")
            try #require(try read == Date(written, strategy: precise), "\(written)")
            let offset = ["Z", "+00:00", "+02:00", "-0930", "+14", "-12:00"][index / 2 % 6]
            let second = written.prefix(19) + offset
            try #require(try WireJSON.date(String(second)) == Date(String(second), strategy: .iso8601), "\(second)")
        }
    }

    @Test("a fraction of a second has one digit or many", arguments: [1, 2, 3, 4, 6, 9, 12, 19])
    func fractions(digits: Int) throws {
        let fraction = ".\("1234567891234567891".prefix(digits))"
        let whole = try #require(WireJSON.date("2026-01-31T12:00:00Z"))
        let read = try #require(WireJSON.date("2026-01-31T12:00:00\(fraction)Z"))
        let expected = try #require(Double("0\(fraction)"))
        #expect(abs(read.timeIntervalSince(whole) - expected) < 2e-7)
    }

    @Test("every millisecond of a second survives writing and reading")
    func milliseconds() throws {
        for millisecond in 0..<1000 {
            let date = Date(timeIntervalSince1970: 1_700_000_000 + Double(millisecond) / 1000)
            let text = WireJSON.timestamp(date)
            let read = try #require(WireJSON.date(text))
            #expect(WireJSON.timestamp(read) == text)
            #expect(abs(read.timeIntervalSince(date)) < 0.0005)
        }
    }

    @Test("civil dates are real days only and count without gaps")
    func civilDates() throws {
        #expect(CivilDate("2024-02-29") != nil)
        for bad in ["2023-02-29", "2026-04-31", "2026-00-10", "2026-1-01", "0000-01-01", "2026-01-32", "20260101", ""] {
            #expect(CivilDate(bad) == nil, "\(bad)")
        }
        let (first, last) = (try #require(CivilDate("0001-01-01")), try #require(CivilDate("9999-12-31")))
        #expect(last.adding(days: 1) == last && last.adding(days: .max) == last && first.adding(days: .min) == first)
        #expect(CivilDate("1970-01-01")?.daysSinceEpoch == 0)
        var date = try #require(CivilDate("1899-12-31"))
        for _ in 0..<50_000 {
            let next = date.adding(days: 1)
            #expect(next > date)
            #expect(CivilDate(next.description) == next)
            date = next
        }
    }

    @Test("a date before 1970 falls on its own UTC day")
    func daysBefore1970() {
        #expect(CivilDate(Date(timeIntervalSince1970: -1)).description == "1969-12-31")
        #expect(CivilDate(Date(timeIntervalSince1970: 0)).description == "1970-01-01")
    }

    @Test("an identifier is a UUID, written in lower case")
    func identifiers() {
        let text = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
        #expect(TenantID(text)?.description == text.lowercased())
        #expect(TenantID("not-a-uuid") == nil)
    }

    @Test("a patch tells a field left out from one set to null")
    func patches() throws {
        struct Body: Codable, Equatable {
            var name: Patch<String>
        }
        func body(_ text: String) throws -> Body { try WireJSON.decode(from: Array(text.utf8)) }
        #expect(try body("{}").name == .unchanged)
        #expect(try body(#"{"name":null}"#).name == .null)
        #expect(try body(#"{"name":"x"}"#).name == .value("x"))
        #expect(try WireJSON.encode(Body(name: .unchanged)) == Array("{}".utf8))
        #expect(try WireJSON.encode(Body(name: .null)) == Array(#"{"name":null}"#.utf8))
        #expect(Patch<Int>.null.applied(to: 3) == nil)
        #expect(Patch<Int>.unchanged.applied(to: 3) == 3)
    }

    @Test("the last page says so with a null cursor")
    func lastPage() throws {
        let bytes = try WireJSON.encode(Success([1, 2], page: Page(nextCursor: nil)))
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"data":[1,2],"page":{"nextCursor":null},"success":true}"#)
    }

    @Test("free JSON keeps booleans, whole numbers and fractions apart")
    func freeJSON() throws {
        let text = #"{"a":[1,1.5,true,null,"x"],"b":{}}"#
        let value: JSONValue = try WireJSON.decode(from: Array(text.utf8))
        #expect(value["a"] == .array([.integer(1), .number(1.5), .bool(true), .null, .string("x")]))
        #expect(String(decoding: try WireJSON.encode(value), as: UTF8.self) == text)
    }
}
