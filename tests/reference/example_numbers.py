"""Parameters of the hand-made System."""

from types import SimpleNamespace as Table


def small_numbers() -> Table:
    """Parameters, restated here with the values of the shipped defaults."""
    economy = Table(
        revenue=60.0, growth=[1.0986, 0.06, -0.25], ceiling=900.0, volatility=0.20, share_volatility=0.25,
        leave_boom=[0.30, 0.06],
        leave_plateau=[0.22, 0.14], leave_bust=[0.08, 0.45], start="boom",
        plan=[60.0, 118.0, 190.0, 270.0, 350.0, 430.0], correlation_demand_equity=0.6,
        correlation_demand_credit=-0.4, correlation_equity_credit=-0.5, rate=0.037, rate_reversion=0.3,
        rate_volatility=0.009, spread_reversion=1.0, spread_volatility=0.35, spread_feedback=1.0,
        recession_drag=0.2,
        equity_drift=0.05, equity_volatility=0.25, equity_beta=0.5, crash_boom_plateau=-0.30,
        crash_boom_bust=-0.55, crash_plateau_bust=-0.35, rally_plateau_boom=0.20, rally_bust_boom=0.35,
        rally_bust_plateau=0.20, power_reversion=1.0, power_volatility=0.15,
    )
    chips = Table(
        ageing=0.10, release_effect=0.22, release_noise=0.35, technology_volatility=0.05,
        slip_probability=0.35, slip_months=[2.0, 4.0, 9.0], demand_elasticity=0.8, utilisation=0.70,
        rent_elasticity=1.0, rent_bounds=[0.25, 1.8], underwritten_decline=0.24,
        underwritten_price_decline=0.36, life=8.0, least_life=2.0, scrap=0.10, chip_spread=0.09,
        impact=0.8, impact_cap=0.8, impact_half_life=0.75, depth=0.05, quarterly_sales=0.33, sale_cost=0.10,
        capex=[710.0, 870.0, 950.0, 1000.0, 1040.0], capex_chip_share=0.5, capex_newest_share=0.7,
        capex_speed=1.5, capex_target=[1.0, 0.55, 0.30], capex_bounds=[0.4, 1.25], retire_idle=0.60,
        retire=0.05,
    )
    contracts = Table(
        equity_speed=[0.15, 0.06, 0.02], equity_floor=[1.0, 0.5, 0.25], equity_buffer=6.0, revenue_power=0.5,
        variable_cost=0.45, fixed_cost_growth=0.15, subscription_share=0.10,
        subscription_regime=[1.0, 0.7, 0.4], renegotiation=0.5, renewal=[0.9, 0.6, 0.3],
        non_payment_months=9.0, lease_break_month=0.0,
    )
    credit = Table(
        capacity_scale=1.15, capacity_cap=1.25, trailing_weight=0.7, look_through=[0.0, 0.5, 1.0],
        look_through_spread=1.0, equity_speed=[0.12, 0.08, 0.03],
        equity_months=6.0, sponsor_regime=[1.0, 0.6, 0.3], extension_months=24.0, exchange_loss=0.25,
        contract_advance=0.85, contract_yield=0.10, ltv_covenant=0.85, ltv_cure=0.75, dscr_trap=1.3,
        dscr_default=0.8, sweep_share=0.5, waiver=0.8, waiver_months=9.0, chips_per_draw=0.84,
        hazard_regime=[1.0, 2.0, 4.0], hazard_stress=0.6, hazard_spread=0.5, hazard_contagion=1.0,
        recovery_stress=0.35, recovery_spread=0.10, step_in=0.5, insolvency_ratio=0.5, insolvency_supply=0.7,
        growth_limit=0.75, refinancing_link=0.25, refinancing_start=0.92, chip_link=0.25, pool_stress=0.5,
        origination=0.30, abs_cap_rate=-0.3, abs_trap=1.35, abs_coupon=0.057, abs_reserve_months=6.0,
        abs_sale_cost=0.10,
    )
    lenders = Table(
        supply_reversion=0.5, supply_loss=6.0, supply_floor=0.25, other_loss=0.01, other_power=0.5,
        bankruptcy_cost=0.05, full_stop=0.05, unreplaced=0.5, sale_half_life=0.5,
    )
    mechanisms = Table(
        fire_sale=1.0, circular_contracts=1.0, funding_loop=1.0, lender_network=1.0, step_in=1.0,
        build_up=1.0, pool_links=1.0, subscription_loop=1.0, cross_default=1.0, payment_in_kind=1.0,
        look_through=1.0, vendor_purse=1.0, paper_sales=1.0, credit_lines=1.0, redemptions=1.0,
        recession=1.0,
    )
    policy = Table(
        backstop_month=0.0, backstop_months=24.0, backstop=0.85,
        bailout_month=0.0, bailout_months=24.0, bailout=50.0,
        capital_rule_month=0.0, capital_rule=0.5, capital_rule_passed=0.5,
        disclosure_month=0.0, disclosure=1.0, savers_month=0.0, savers=0.10,
        advance_cap_month=0.0, advance_cap=0.45,
    )
    return Table(
        economy=economy, chips=chips, contracts=contracts, credit=credit, lenders=lenders,
        mechanisms=mechanisms, policy=policy,
    )
