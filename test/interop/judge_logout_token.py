"""Judges a logout token with jwcrypto, which shares no code with the one that made it.

Reads one JSON object from stdin:
  token       the token as it was posted
  jwks        the key set at the OP's jwks_uri
  alg         the one signature algorithm that is right
  issuer      what iss must be
  audience    what aud must be
  decryption  optional: {"key": private JWK, "alg": ..., "enc": ...}, for a token that must be encrypted

Writes {"header", "claims", "outer"?} when every check holds. Otherwise exits with 1 and says on stderr what does not hold.
"""

import json
import sys
import time

from jwcrypto import jwe, jwk, jws
from jwcrypto.common import JWException

EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Fault(Exception):
    pass


def wanted(holds, what):
    if not holds:
        raise Fault(what)


def decrypt(token, issuer, decryption):
    outer = jwe.JWE(algs=[decryption["alg"], decryption["enc"]])
    outer.deserialize(token, jwk.JWK(**decryption["key"]))
    header = outer.jose_header
    wanted(header.get("alg") == decryption["alg"], f"BCL-24: JWE alg {header.get('alg')}")
    wanted(header.get("enc") == decryption["enc"], f"BCL-24: JWE enc {header.get('enc')}")
    wanted(header.get("cty", "").upper() == "JWT", f"RFC 7519, 5.2: cty {header.get('cty')} of a nested JWT")
    wanted(header.get("iss") in (None, issuer), f"BCL-24: iss {header.get('iss')} in the JWE header")
    return outer.payload.decode(), header


def verify(token, jwks, alg):
    signed = jws.JWS()
    signed.allowed_algs = [alg]
    signed.deserialize(token)
    header = signed.jose_header
    wanted(header.get("alg") == alg, f"BCL-23: alg {header.get('alg')}, wanted {alg}")
    wanted(header.get("typ") == "logout+jwt", f"BCL-21: typ {header.get('typ')}")
    wanted("crit" not in header, f"crit {header.get('crit')}")
    keys = [key for key in jwks["keys"] if key.get("kid") == header.get("kid")]
    wanted(len(keys) == 1, f"BCL-23: {len(keys)} keys with the kid {header.get('kid')} at jwks_uri")
    wanted("d" not in keys[0], "a private key is published")
    signed.verify(jwk.JWK(**keys[0]), alg)
    return json.loads(signed.payload), header


def check(claims, issuer, audience):
    now = time.time()
    wanted(claims.get("iss") == issuer, f"BCL-10: iss {claims.get('iss')}, wanted {issuer}")
    wanted(claims.get("aud") in (audience, [audience]), f"BCL-11: aud {claims.get('aud')}, wanted {audience}")
    for name in ("iat", "exp"):
        wanted(type(claims.get(name)) is int, f"BCL-12, BCL-13: {name} {claims.get(name)}")
    wanted(now - 60 < claims["iat"] <= now + 1, f"BCL-12: iat {claims['iat']} at {now}")
    wanted(0 < claims["exp"] - claims["iat"] <= 120, f"BCL-13: exp {claims['exp'] - claims['iat']} s after iat")
    wanted(isinstance(claims.get("jti"), str) and claims["jti"], f"BCL-14: jti {claims.get('jti')}")
    wanted(claims.get("events") == {EVENT: {}}, f"BCL-15: events {claims.get('events')}")
    wanted("sub" in claims or "sid" in claims, "BCL-16: neither sub nor sid")
    wanted("nonce" not in claims, "BCL-18: nonce")


def main():
    case = json.load(sys.stdin)
    token = case["token"]
    verdict = {}
    decryption = case.get("decryption")
    if decryption:
        token, verdict["outer"] = decrypt(token, case["issuer"], decryption)
    verdict["claims"], verdict["header"] = verify(token, case["jwks"], case["alg"])
    check(verdict["claims"], case["issuer"], case["audience"])
    json.dump(verdict, sys.stdout)


try:
    main()
except (Fault, JWException, ValueError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
