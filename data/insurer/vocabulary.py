"""Words from which names, places and texts are made. Data only."""

from __future__ import annotations

SURNAMES = (
    "Müller", "Schäfer", "Öztürk", "Brandt", "Hoffmann-Lüders", "Großmann", "Kowalski", "Schwarzenberger", "Jäger",
    "Fischer", "Wiedemann", "Lefèvre", "Zimmermann", "Bäcker", "Vogelsang", "Übelhör", "Kirchhoffer", "Neumann",
    "Dietrichsen", "Weiß",
)  # fmt: skip
GIVEN_NAMES = (
    "Anna",
    "Jörg",
    "Mia",
    "Håkon",
    "Paul",
    "Zoë",
    "René",
    "Lukas",
    "Käthe",
    "Emma",
    "Ömer",
    "Franz",
    "Clara",
    "Günther",
    "Ida",
)
COMPANIES = (
    "Nordwind",
    "Elbkontor",
    "Süddruck",
    "Hafenbau",
    "Kölner Metallwerk",
    "Rheingold Logistik",
    "Alpenmilch",
    "Grünflor",
)
LEGAL_FORMS = ("GmbH", "AG", "KG", "OHG", "eG")
STREETS = (
    "Hauptstraße", "Lindenallee", "Am Mühlbach", "Königsweg", "Bahnhofstraße", "Schloßgasse", "Gärtnerstraße",
    "Ringstraße",
    "Birkenweg", "Äußere Zeile",
)  # fmt: skip
CITIES = ("Köln", "München", "Hamburg", "Düsseldorf", "Leipzig", "Nürnberg", "Bremen", "Würzburg", "Görlitz", "Kiel")
MAIL_HOSTS = ("example.org", "example.com", "mail.example.net", "post.example.de")
PEOPLE = ("k.brandt", "s.vogel", "m.oezer", "t.lang", "r.huber", "j.petersen", "a.roth")
CLAUSES = (
    "Glass breakage included", "Deductible waived after three years", "Storm cover from force eight",
    "Second driver under 25 excluded",
    "Business equipment at home covered", "Bicycle theft up to one percent of the sum", "Worldwide cover for six weeks",
)  # fmt: skip
REMARKS = (
    "Annual invoice after change of cover", "Corrected after endorsement", "Instalment plan agreed by telephone",
    "Discount for several contracts applied", "Reissued on request of the payer",
)  # fmt: skip
