// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Claims} from "../../../contracts/Claims.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {PlainToken} from "../../contracts/hostile/PlainToken.sol";
import {Cheats} from "../Cheats.sol";
import {Ledger} from "../Ledger.sol";
import {World} from "../World.sol";

/// @title What every handler does around every call: looks before, looks after, and notes what must not be
/// @dev A handler never reverts for what the vault does: a revert would take back what was noted.
abstract contract Handler is Cheats {
    World internal immutable w;
    Ledger internal immutable l;
    Vault internal immutable vault;
    PlainToken internal immutable token;
    Claims internal immutable claims;

    uint256 internal constant ADAPTERS = 3;
    uint256 internal constant WAD = 1e18;

    /// @param receipts What each adapter holds of its venue.
    struct Look {
        uint256 price;
        uint256 total;
        uint256 supply;
        uint256 dust;
        uint256[ADAPTERS] receipts;
        uint256[ADAPTERS] claimsWorth;
    }

    constructor(World w_, Ledger l_) {
        (w, l, vault, token, claims) = (w_, l_, w_.vault(), w_.token(), w_.claims());
    }

    /// @dev For calls that may cost holders nothing and fund no adapter.
    modifier harmless() {
        Look memory before = look();
        _;
        compare(before, 0);
        requireUnfunded(before);
    }

    function look() internal view returns (Look memory found) {
        found.price = vault.sharePrice();
        found.total = vault.totalAssets();
        found.supply = vault.totalSupply() + w.virtualShares();
        found.dust = w.dust();
        for (uint256 i; i < ADAPTERS; ++i) {
            address adapter = address(w.adapters(i));
            found.receipts[i] = w.venues(i).balanceOf(adapter);
            IVault.AdapterRecord memory record = vault.adapter(adapter);
            if (record.totalUnits != 0) {
                // Of a thousandth of what is claimed, so that neither new claims nor redeemed ones matter.
                found.claimsWorth[i] = Math.mulDiv(w.positionOf(i), 1e24, record.totalUnits);
            }
        }
    }

    /// @param lost What the call may have cost holders, in assets.
    function compare(Look memory before, uint256 lost) internal {
        uint256 price = vault.sharePrice();
        if (price < before.price) {
            // Of those who were there before and still are: what an exit's rounding leaves falls on them alone.
            uint256 staying = Math.min(before.supply, vault.totalSupply() + w.virtualShares());
            uint256 fall = Math.mulDiv(before.price - price, staying, 1e36);
            if (fall > lost + before.dust) {
                l.breach(
                    "invariant_sharePriceFallsOnlyByALossOrAFee",
                    "assets lost by holders",
                    fall,
                    lost + before.dust
                );
            }
        }
        for (uint256 i; i < ADAPTERS; ++i) {
            IVault.AdapterRecord memory record = vault.adapter(address(w.adapters(i)));
            if (record.totalUnits == 0 || before.claimsWorth[i] == 0) continue;
            uint256 worth = Math.mulDiv(w.positionOf(i), 1e24, record.totalUnits);
            if (worth + before.dust >= before.claimsWorth[i]) continue;
            // Claims that are less than a unit together can be rounded away.
            if (Math.mulDiv(before.claimsWorth[i] - worth, record.claimUnits, 1e24) > 1) {
                l.breach("invariant_claimsKeepTheirWorth", "1e24 units are worth", worth, before.claimsWorth[i]);
            }
        }
        checkTotal();
    }

    /// @dev Total assets against what deposits, exits and `maxRate` allow. While an adapter does not count, what was written
    /// off may come back; when all count again, what is lost is lost.
    function checkTotal() internal {
        uint256 total = vault.totalAssets();
        if (total > l.most()) {
            l.breach("invariant_gainsNeverCountFasterThanMaxRate", "total assets", total, l.most());
        }
        (uint256 off, bool uncounted) = vault.writtenOff();
        (uint256 accounted, , uint256 updatedAt) = vault.accountedAssets();
        if (updatedAt == block.timestamp && off == 0 && !uncounted && w.allCount()) l.cutTo(accounted);
    }

    function requireUnfunded(Look memory before) internal {
        for (uint256 i; i < ADAPTERS; ++i) {
            uint256 receipts = w.venues(i).balanceOf(address(w.adapters(i)));
            if (receipts > before.receipts[i]) {
                l.breach("invariant_onlyAPlanFundsAnAdapter", "receipts", receipts, before.receipts[i]);
            }
        }
    }
}
