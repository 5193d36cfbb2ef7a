      * Writes what it reads: each line of values in DISPLAY with a
      * separate sign becomes a record in every representation.
      * Text and zoned digits are put into EBCDIC when the environment
      * says so, with the bytes of IBM's chart for code page 037.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. POLICIES.
       ENVIRONMENT DIVISION.
       CONFIGURATION SECTION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT IN-FILE ASSIGN TO "values.txt"
             ORGANIZATION IS LINE SEQUENTIAL.
           SELECT OUT-FILE ASSIGN TO "policies.dat"
             ORGANIZATION IS SEQUENTIAL.
       DATA DIVISION.
       FILE SECTION.
       FD IN-FILE.
       01 IN-LINE.
          05 I-KIND PIC X.
          05 I-NAME PIC X(8).
          05 I-A PIC S9(7)V99 SIGN LEADING SEPARATE.
          05 I-B PIC S9(18) SIGN LEADING SEPARATE.
          05 I-C PIC S9(4) SIGN LEADING SEPARATE.
          05 I-N PIC 9.
       FD OUT-FILE.
       01 REC.
          05 R-KIND PIC X.
          05 R-NAME PIC X(8).
          05 R-ZT PIC S9(7)V99.
          05 R-ZTX REDEFINES R-ZT PIC X(9).
          05 R-ZL PIC S9(7)V99 SIGN LEADING.
          05 R-ZLX REDEFINES R-ZL PIC X(9).
          05 R-ZTS PIC S9(7)V99 SIGN TRAILING SEPARATE.
          05 R-ZTSX REDEFINES R-ZTS PIC X(10).
          05 R-ZLS PIC S9(7)V99 SIGN LEADING SEPARATE.
          05 R-ZLSX REDEFINES R-ZLS PIC X(10).
          05 R-ZU PIC 9(9).
          05 R-ZUX REDEFINES R-ZU PIC X(9).
          05 R-P9 PIC S9(7)V99 COMP-3.
          05 R-P18 PIC S9(18) COMP-3.
          05 R-PU PIC 9(4) COMP-3.
          05 R-B2 PIC S9(4) COMP.
          05 R-B4 PIC S9(7)V99 COMP.
          05 R-B8 PIC S9(18) COMP.
          05 R-BU PIC 9(9) COMP.
          05 R-DETAIL PIC X(9).
          05 R-LIFE REDEFINES R-DETAIL.
             10 R-SUM PIC S9(7)V99 COMP-3.
             10 FILLER PIC X(4).
          05 R-MOTOR REDEFINES R-DETAIL.
             10 R-PLATE PIC X(8).
             10 FILLER PIC X.
          05 R-COUNT PIC 9.
          05 R-COUNTX REDEFINES R-COUNT PIC X.
          05 R-PART OCCURS 3 TIMES.
             10 R-CODE PIC X(2).
             10 R-SHARE PIC S9(4) COMP-3.
       WORKING-STORAGE SECTION.
       01 W-EBCDIC PIC X VALUE "N".
       01 W-DONE PIC X VALUE "N".
       01 W-I PIC 9.
       01 W-FROM PIC X(51)
          VALUE "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi{}+- .".
       01 W-TO.
          05 FILLER PIC X(10) VALUE X"F0F1F2F3F4F5F6F7F8F9".
          05 FILLER PIC X(9) VALUE X"C1C2C3C4C5C6C7C8C9".
          05 FILLER PIC X(9) VALUE X"D1D2D3D4D5D6D7D8D9".
          05 FILLER PIC X(8) VALUE X"E2E3E4E5E6E7E8E9".
          05 FILLER PIC X(9) VALUE X"818283848586878889".
          05 FILLER PIC X(6) VALUE X"C0D04E60404B".
       PROCEDURE DIVISION.
       MAIN.
           ACCEPT W-EBCDIC FROM ENVIRONMENT "TO_EBCDIC".
           OPEN INPUT IN-FILE OUTPUT OUT-FILE.
           PERFORM UNTIL W-DONE = "Y"
              READ IN-FILE AT END MOVE "Y" TO W-DONE
              NOT AT END PERFORM WRITE-RECORD
              END-READ
           END-PERFORM.
           CLOSE IN-FILE OUT-FILE.
           STOP RUN.
       WRITE-RECORD.
           MOVE SPACES TO REC.
           MOVE I-KIND TO R-KIND.
           MOVE I-NAME TO R-NAME.
           MOVE I-A TO R-ZT R-ZL R-ZTS R-ZLS R-P9 R-B4.
           MOVE I-B TO R-P18 R-B8.
           MOVE I-C TO R-B2.
           COMPUTE R-ZU = FUNCTION ABS(I-B).
           COMPUTE R-BU = FUNCTION ABS(I-B).
           COMPUTE R-PU = FUNCTION ABS(I-C).
           IF I-KIND = "L"
              MOVE I-A TO R-SUM
           ELSE
              MOVE I-NAME TO R-PLATE
           END-IF.
           MOVE I-N TO R-COUNT.
           PERFORM VARYING W-I FROM 1 BY 1 UNTIL W-I > I-N
              MOVE I-NAME(W-I:2) TO R-CODE(W-I)
              COMPUTE R-SHARE(W-I) = I-C - W-I
           END-PERFORM.
           IF W-EBCDIC = "Y" PERFORM TO-EBCDIC.
           WRITE REC.
       TO-EBCDIC.
           INSPECT R-KIND CONVERTING W-FROM TO W-TO.
           INSPECT R-NAME CONVERTING W-FROM TO W-TO.
           INSPECT R-ZTX CONVERTING W-FROM TO W-TO.
           INSPECT R-ZLX CONVERTING W-FROM TO W-TO.
           INSPECT R-ZTSX CONVERTING W-FROM TO W-TO.
           INSPECT R-ZLSX CONVERTING W-FROM TO W-TO.
           INSPECT R-ZUX CONVERTING W-FROM TO W-TO.
           INSPECT R-COUNTX CONVERTING W-FROM TO W-TO.
           IF I-KIND NOT = "L"
              INSPECT R-DETAIL CONVERTING W-FROM TO W-TO
           END-IF.
           PERFORM VARYING W-I FROM 1 BY 1 UNTIL W-I > 3
              INSPECT R-CODE(W-I) CONVERTING W-FROM TO W-TO
           END-PERFORM.
