import Contracts
import Testing

@Suite("Rules of value")
struct RuleTests {
    @Test("a CSV's quotes, line breaks and byte-order mark are understood, and rows know their line")
    func csv() throws {
        let text = "\u{FEFF}a,b\r\n\"x,\"\"y\"\"\",\"two\nlines\"\r\n\r\nlast,"
        let rows = try CSVReader.rows(of: Array(text.utf8))
        #expect(rows.map(\.fields) == [["a", "b"], ["x,\"y\"", "two\nlines"], ["last", ""]])
        #expect(rows.map(\.line) == [1, 2, 5])
    }

    @Test("a CSV gives the same rows in chunks of any size")
    func csvChunks() throws {
        let bytes = Array("a,\"b\r\nc\"\r\nd,\"\"\"\"\r\ne,f".utf8)
        let whole = try CSVReader.rows(of: bytes)
        for size in 1...bytes.count {
            var reader = CSVReader()
            var rows: [CSVReader.Row] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                rows += try reader.read(bytes[start..<min(start + size, bytes.count)])
            }
            rows += try reader.finish()
            #expect(rows == whole)
        }
    }

    @Test("what is not CSV is refused with its line", arguments: [("a\n\"b", 2), ("a\nb\"c", 2), ("\"a\"b", 1)])
    func badCSV(text: String, line: Int) {
        let error = #expect(throws: CSVReader.SyntaxError.self) { try CSVReader.rows(of: Array(text.utf8)) }
        #expect(error?.line == line)
    }

    @Test("a subdomain is a DNS label in lower case that is not reserved")
    func subdomains() {
        for good in ["acme", "a-b", "1st", "x", String(repeating: "a", count: 63)] {
            #expect(Subdomain(rawValue: good) != nil, "\(good)")
        }
        for bad in [
            "", "Acme", "-a", "a-", "a_b", "a.b", "www", "admin", "xn--a", "é", String(repeating: "a", count: 64),
        ] {
            #expect(Subdomain(rawValue: bad) == nil, "\(bad)")
        }
    }

    private func faults(_ request: some RequestPayload) -> [FieldError] {
        var validation = Validation()
        request.validate(&validation)
        return validation.errors
    }

    /// Each fault is compared with those before it: two hundred thousand of one body would take a processor for minutes.
    @Test("a list with too many entries is refused as a whole, and at most a hundred faults are told")
    func tooMany() throws {
        let week = CreateContractRequest(effectiveFrom: nil, weekdayMinutes: Array(repeating: -1, count: 10_000))
        #expect(
            faults(week) == [FieldError(field: "weekdayMinutes", message: "must have exactly 7 entries")])
        let skills = Array(repeating: WantedSkill(skill: "", level: 9), count: 10_000)
        let day = try #require(CivilDate("2026-01-31"))
        #expect(faults(AvailabilitySearchRequest(from: day, to: day, skills: skills)).map(\.field) == ["skills"])
        let names = (0..<10_000).map { ("\u{1}\($0)", JSONValue.null) }
        let settings = TenantSettings(settings: Dictionary(uniqueKeysWithValues: names))
        #expect(faults(settings).map(\.field) == ["settings"])

        var validation = Validation()
        for index in 0..<1_000 { validation.reject("field[\(index)]", "is wrong") }
        #expect(validation.errors.count == Validation.maximumErrors)
        #expect(validation.errors.last?.field == "field[99]")
    }

    @Test("the default roles allow exactly what the design's table says")
    func roles() {
        #expect(DefaultRole.admin.permissions.allow(.delete, on: .users))
        #expect(DefaultRole.manager.permissions.allow(.predict, on: .ml))
        #expect(!DefaultRole.manager.permissions.allow(.delete, on: .employees))
        #expect(!DefaultRole.manager.permissions.allow(.train, on: .ml))
        #expect(DefaultRole.user.permissions.allow(.update, on: .ownAccount))
        #expect(!DefaultRole.user.permissions.allow(.write, on: .projects))
        #expect(DefaultRole.viewer.permissions.allow(.read, on: .audit))
        #expect(!DefaultRole.viewer.permissions.allow(.update, on: .employees))
        #expect(![Permission]().allow(.read, on: .projects))
    }

    @Test("a text's length is that of its scalars: one character may be thousands of them")
    func combiningMarks() {
        var validation = Validation()
        validation.text(String(repeating: "é", count: 200), "fits")
        validation.text("e" + String(repeating: "\u{301}", count: 7_000), "long")
        #expect(validation.errors.map(\.field) == ["long"])
    }

    @Test(
        "an e-mail address has a domain of names and nothing that cannot be seen",
        arguments: [
            ("ann@acme.example", true), ("ann.o'neil+erm@mail.acme.example", true), ("jörg@bücher.example", true),
            ("ann@acme", false), ("ann@acme..example", false), ("ann@-acme.example", false),
            ("ann@acme-.example", false), ("ann@acme_x.example", false), ("<ann>@acme.example", false),
            ("ann\u{200B}@acme.example", false),
            ("ann\u{202E}@acme.example", false), ("ann\u{A0}@acme.example", false), ("ann@acme.exa\u{AD}mple", false),
            ("ann@b@acme.example", false), ("@acme.example", false),
        ])
    func emails(address: String, isOne: Bool) {
        var validation = Validation()
        validation.email(address, "email")
        #expect(validation.errors.isEmpty == isOne)
    }

    @Test("the name of a role has nothing that cannot be seen, but blanks")
    func visibleText() {
        var validation = Validation()
        validation.visibleText("Head of planning", "fits", maximum: 100)
        validation.visibleText("adm\u{200B}in", "broken", maximum: 100)
        validation.visibleText("nimda\u{202E}", "turned", maximum: 100)
        #expect(validation.errors.map(\.field) == ["broken", "turned"])
    }

    @Test("the rules name each bad field once")
    func validation() {
        var validation = Validation()
        validation.text(" ", "name")
        validation.text("a\u{0}b", "title")
        validation.email("nobody", "email")
        validation.range(-1.0, 0...100, "percent")
        validation.range(Double.nan, 0...100, "other")
        validation.order(CivilDate("2026-02-01"), CivilDate("2026-01-31"), "endDate", notBefore: "startDate")
        validation.reject("name", "again")
        #expect(validation.errors.map(\.field) == ["name", "title", "email", "percent", "other", "endDate"])
    }
}
