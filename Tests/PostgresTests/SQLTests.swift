import Testing

@testable import Postgres

@Suite("Statements and binds")
struct SQLTests {
    @Test("interpolated values become binds, never text")
    func valuesAreBound() throws {
        let name = "'; drop table users; --"
        let rendered = try RenderedSQL("SELECT * FROM users WHERE name = \(name) AND age > \(42)")
        #expect(rendered.text == "SELECT * FROM users WHERE name = $1 AND age > $2")
        #expect(rendered.binds == [name, "42"])
    }

    @Test("nested and concatenated fragments number their binds in order")
    func fragments() throws {
        let filter: SQL = "b = \(2)"
        let rendered = try RenderedSQL("SELECT \(1) WHERE \(sql: filter)" + " AND c = \(3)")
        #expect(rendered.text == "SELECT $1 WHERE b = $2 AND c = $3")
        #expect(rendered.binds == ["1", "2", "3"])
        let list = try RenderedSQL((1...3).map { "\($0)" as SQL }.joined(separator: ", "))
        #expect(list.text == "$1, $2, $3")
    }

    @Test("identifiers and literals are quoted whatever they contain")
    func quoting() throws {
        let hostile = #"a"b'c\d"#
        #expect(try RenderedSQL("\(identifier: hostile, "t")").text == #""a""b'c\d"."t""#)
        #expect(try RenderedSQL("\(literal: hostile)").text == #"E'a"b''c\\d'"#)
    }

    @Test(
        "identifiers the server would cut or cannot hold are refused",
        arguments: ["", String(repeating: "x", count: 64), "a\0b"])
    func badIdentifiers(_ name: String) {
        #expect { try RenderedSQL("\(identifier: name)") } throws: { ($0 as? PostgresError)?.code == .encoding }
    }

    @Test("a NUL in a bound text is refused instead of cutting the value short")
    func nulInText() {
        #expect { try RenderedSQL("SELECT \("ab\0cd")") } throws: { ($0 as? PostgresError)?.code == .encoding }
    }

    @Test("a description holds no data, a debug description holds the server's words")
    func descriptions() {
        var error = PostgresError(.server, "The server refused the statement.")
        error.sqlState = "23505"
        error.constraintName = "users_email_key"
        error.detail = "Key (email)=(ann@example.org) already exists."
        #expect(
            "\(error)" == "The server refused the statement. (SQLSTATE 23505, constraint users_email_key)")
        #expect(String(reflecting: error).contains("ann@example.org"))
    }

    @Test("a connection string that cannot be parsed is refused without repeating it")
    func badURL() {
        #expect {
            try PostgresConfiguration(url: "postgres://user:secret@[::1/db")
        } throws: { error in
            (error as? PostgresError)?.code == .invalidConfiguration && !String(reflecting: error).contains("secret")
        }
    }

    @Test("statements are classified by what they may leave behind")
    func traits() {
        #expect(StatementTraits("/* a /* nested */ comment */ -- and\n (select 1)").isPreparable)
        #expect(!StatementTraits("vacuum").isPreparable)
        #expect(StatementTraits("SET search_path TO a").mayChangeSession)
        #expect(StatementTraits("SET LOCAL ROLE x").mayChangeNamespace)
        #expect(!StatementTraits("SET LOCAL ROLE x").mayChangeSession)
        #expect(StatementTraits("SELECT set_config('a.b', $1, false)").mayChangeSession)
        #expect(!StatementTraits("SELECT set_config('a.b', $1, true)").mayChangeSession)
        #expect(!StatementTraits("SELECT pg_catalog.set_config('a.b', $1, true)").mayChangeNamespace)
        #expect(StatementTraits("SELECT set_config('search_path', $1, true)").mayChangeNamespace)
        #expect(StatementTraits("SELECT set_config('a.b', $1, true), set_config($2, $3, true)").mayChangeNamespace)
        #expect(StatementTraits("CREATE TEMPORARY TABLE t ()").mayChangeSession)
        #expect(StatementTraits("SELECT pg_advisory_lock(1)").mayChangeSession)
        #expect(!StatementTraits("INSERT INTO roles VALUES ($1)").mayChangeNamespace)
    }

    @Test("the traits of a text are kept, of no more texts than so many, and of no long one")
    func knownTraits() {
        var known = KnownTraits()
        for text in ["SELECT 1", "SET LOCAL ROLE x", "SELECT 1"] { #expect(known.of(text) == StatementTraits(text)) }
        #expect(known.traits.count == 2)
        _ = known.of("SELECT '" + String(repeating: "x", count: KnownTraits.longest) + "'")
        #expect(known.traits.count == 2)
        for number in 0..<3 * KnownTraits.most { _ = known.of("SELECT \(number)") }
        #expect(known.traits.count <= KnownTraits.most && known.of("VACUUM") == StatementTraits("VACUUM"))
    }

    @Test("the statement cache evicts the least recently used and keeps schemas apart")
    func cache() {
        var cache = StatementCache(capacity: 2)
        func key(_ text: String, _ namespace: String = "public") -> StatementCache.Key {
            .init(namespace: namespace, text: text)
        }
        cache.insert("one", for: key("a"))
        cache.insert("two", for: key("b"))
        #expect(cache.name(for: key("a")) == "one")
        #expect(cache.name(for: key("a", "other")) == nil)
        cache.insert("three", for: key("c"))
        #expect(cache.name(for: key("b")) == nil)
        #expect(cache.name(for: key("a")) == "one")
        #expect(cache.takeEvicted() == ["two"])
        #expect(cache.takeEvicted().isEmpty)
    }
}
